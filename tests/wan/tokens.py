"""The two ways of wan-tokens, our own algorithm and libsentencepiece, against each other and against the
library as python3-sentencepiece has it: random texts, with the golden models and with variants of them that have
user-defined and unused pieces, ties, and other settings of the normaliser. Then tokenizer.json against the sums
that transformers forms, which are others than SentencePiece's.

usage: srcdir=. builddir=build tests/wan/tokens [VARIANTS [TEXTS]]
"""
import json, os, random, re, struct, subprocess, sys, tempfile

try:
    import sentencepiece
except ImportError:
    sentencepiece = None

top, build = os.environ.get("srcdir", "."), os.environ.get("builddir", "build")
variants, texts = [int(a) for a in sys.argv[1:]] + [4, 1000][len(sys.argv) - 1:]
USER = "foo|  |The|▁cat|aé|\n|Ａ|ﬁx|x  y|▁▁|中文|①|zz|ab|abc|é".split("|")


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def read_varint(d, i):
    v = shift = 0
    while True:
        v, shift, i = v | (d[i] & 127) << shift, shift + 7, i + 1
        if d[i - 1] < 128:
            return v, i


def fields(d):
    i, out = 0, []
    while i < len(d):
        key, i = read_varint(d, i)
        if key & 7 == 0:
            v, i = read_varint(d, i)
        else:
            n, i = read_varint(d, i) if key & 7 == 2 else ({1: 8, 5: 4}[key & 7], i)
            v, i = d[i:i + n], i + n
        out.append((key >> 3, key & 7, v))
    return out


def message(items):
    return b"".join(varint(n << 3 | w) + (varint(v) if w == 0 else varint(len(v)) + v if w == 2 else v)
                    for n, w, v in items)


def piece(text, score, kind):
    return (1, 2, message([(1, 2, text), (2, 5, struct.pack("<f", score)), (3, 0, kind)]))


def variant(model, seed):
    out, have = [], set()
    for n, w, v in fields(model):
        if n == 1:
            p = {k: x for k, _, x in fields(v)}
            text, score, kind = p[1], struct.unpack("<f", p[2])[0], p.get(3, 1)
            if kind == 1 and len(text) > 1 and random.random() < 0.03:
                kind = random.choice([4, 5])
            if kind == 1 and seed % 3 == 0:
                score = round(score * 2) / 2  # many ties
            have.add(text)
            out.append(piece(text, score, kind))
        elif n == 3:
            keep = [x for x in fields(v) if x[0] not in (3, 4)]
            out.append((n, w, message(keep + [(3, 0, random.getrandbits(1)), (4, 0, random.getrandbits(1))])))
        else:
            out.append((n, w, v))
    return message(out + [piece(u.encode(), -1.0, 4) for u in USER if u.encode() not in have])


def line(pool):
    out = ""
    for _ in range(random.randint(1, 12)):
        out += random.choice([
            lambda: random.choice(pool), lambda: random.choice(pool), lambda: " " * random.randint(1, 3),
            lambda: random.choice(USER + ["e\u0301", "\u3000", "\xa0", "\t"]), lambda: random.choice("aeiou ,."),
            lambda: chr(random.choice([random.randint(32, 126), random.randint(0xa0, 0x2fff),
                                       random.randint(0x3000, 0xd7ff), random.randint(0xf900, 0x1ffff)]))])()
    raw = bytearray(out.encode())
    if random.random() < 0.05:
        raw[random.randrange(len(raw))] = random.choice([0x80, 0xff, 0xc3, 0xe2, 0xf0, 0xed])
    return bytes(raw).replace(b"\n", b"").replace(b"\0", b"")


def ids(flags, model, lines):
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/model", "wb") as f, open(d + "/text", "wb") as g:
            f.write(model)
            g.write(b"".join(x + b"\n" for x in lines))
        run = subprocess.run([build + "/wan-tokens", "--raw"] + flags + [d + "/model", d + "/text"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if run.returncode and b"no libsentencepiece" in run.stderr:
            return None
        assert not run.returncode, run.stderr
        return [[int(x) for x in row.split()] for row in run.stdout.decode().split("\n")[:-1]]


bad = total = 0


def compare(what, lines, got, want):
    global bad, total
    assert len(lines) == len(got) == len(want), what
    for text, a, b in zip(lines, got, want):
        total += 1
        if a != b:
            bad += 1
            print(f"FAIL {what}: {text!r}\n  got  {a}\n  want {b}")


judges = set()
for seed in range(variants + 1):
    random.seed(seed)
    for name in "umt5_mini", "t5_v1_1":
        with open(f"{top}/tests/wan/tokenizer/{name}/spiece.model", "rb") as f:
            model = f.read()
        model = variant(model, seed) if seed else model
        pieces = [dict((k, x) for k, _, x in fields(v))[1] for n, _, v in fields(model) if n == 1]
        pool = [p.decode(errors="replace").replace("▁", " ") for p in pieces[300:5000:7]]
        lines = [line(pool) for _ in range(texts)]
        own, library = ids(["--own"], model, lines), ids(["--library"], model, lines)
        if library is not None:
            judges.add("the library in C")
            compare(f"{name}, variant {seed}, own and library", lines, own, library)
        if sentencepiece:
            judges.add("python3-sentencepiece")
            spm = sentencepiece.SentencePieceProcessor()
            spm.LoadFromSerializedProto(model)
            compare(f"{name}, variant {seed}", lines, own, [spm.encode(x) for x in lines])
        if library is not None and ids([], model, lines[:50]) != library[:50]:
            bad += 1
            print("FAIL the default is not the library")


class Hugging:
    """A unigram model as the tokenizers library of transformers applies it. Each word, from one ▁ to the next, is
    split by itself, in sums of 64-bit floats that begin with it; SentencePiece splits the text as a whole and rounds
    every sum to 32 bits. Both keep what came first, so where two ways are equal in one of them and not in the other,
    the ids differ. Unknown characters count 10 less than the least score of all pieces. There is no ▁ in front of a
    text that begins with a blank. Reserved names are no text here, as nowhere in a prompt."""

    def __init__(self, path):
        with open(path, "rb") as f:
            o = json.load(f)
        model, special = o["model"], {a["id"] for a in o["added_tokens"] if a["special"]}
        vocab = model["vocab"]
        self.unk = model["unk_id"]
        self.unknown = min(score for _, score in vocab) - 10
        self.piece = {t: (i, score) for i, (t, score) in enumerate(vocab)
                      if i not in special and i != self.unk and not re.fullmatch("<0x..>", t)}
        self.longest = max(map(len, self.piece))

    def word(self, w):
        best = [(0.0, 0, 0)] + [None] * len(w)
        for at in range(len(w)):
            alone = False
            for n in range(1, min(self.longest, len(w) - at) + 1):
                found = self.piece.get(w[at:at + n])
                if found:
                    alone |= n == 1
                    score = found[1] + best[at][0]
                    if not best[at + n] or score > best[at + n][0]:
                        best[at + n] = (score, at, found[0])
            if not alone:
                score = self.unknown + best[at][0]
                if not best[at + 1] or score > best[at + 1][0]:
                    best[at + 1] = (score, at, self.unk)
        out, at = [], len(w)
        while at:
            _, at, i = best[at]
            if not (out and i == self.unk == out[-1]):
                out.append(i)
        return out[::-1]

    def encode(self, text):
        text = re.sub(" {2,}", " ", text).replace(" ", "▁")
        if text and text[0] != "▁":
            text = "▁" + text
        return [i for w in re.findall("▁?[^▁]+|▁", text) for i in self.word(w)]


for name, charset in ("umt5_mini", None), ("t5_v1_1", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789 .,*-_!?#"):
    path = f"{top}/tests/wan/tokenizer/{name}/tokenizer.json"
    judge = Hugging(path)
    pool = [p.replace("▁", " ") for p in list(judge.piece)[300:5000:7]]
    random.seed(99)
    lines = [b"!!!???...---___***"]
    for _ in range(2 * texts):
        mixed = "".join(random.choice([lambda: random.choice(pool), lambda: random.choice("*-_.!?=#") * random.randint(1, 9),
                                       lambda: chr(random.randint(0x4e00, 0x4eff)), lambda: " ▁"[random.random() < 0.1]])()
                        for _ in range(random.randint(1, 12)))
        if charset:  # the character map of this one is another matter
            mixed = "".join(c for c in mixed if c in charset).strip() or "a"
        lines.append(mixed.encode())
    with open(path, "rb") as f:
        compare(f"{name}, tokenizer.json", lines, ids([], f.read(), lines), [judge.encode(x.decode()) for x in lines])

print(f"{total} texts, {bad} other than they should be; judges besides our own: {', '.join(sorted(judges)) or 'none'}")
sys.exit(1 if bad or total < 2 * texts else 0)
