#!/usr/bin/env python3
"""Writes src/wan/clean_tables.h: the part of Unicode and of HTML that prompt cleaning needs.

usage: src/wan/clean_tables.py > src/wan/clean_tables.h

Not part of the build. The unit test of clean.c compares the tables with ICU.
"""
import html.entities
import sys
import unicodedata


def c_string(s):
    out = ""
    for b in s.encode():
        out += chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else "\\%03o" % b
    return '"%s"' % out


def table(head, rows, per_line=100):
    print(head + " = {")
    line = "   "
    for r in rows:
        if len(line) + len(r) + 2 > per_line:
            print(line)
            line = "   "
        line += " " + r + ","
    print(line)
    print("};\n")


def main():
    chars = [chr(i) for i in range(0x110000) if not 0xD800 <= i < 0xE000]
    hangul = range(0xAC00, 0xD7A4)
    print("/* Made by src/wan/clean_tables.py from Unicode %s and HTML 5. */" % unicodedata.unidata_version)
    print("#include <stdint.h>\n")
    print("/* clang-format off */")
    pool, rows = [], []
    for c in chars:
        full = unicodedata.normalize("NFD", c)
        if full != c and ord(c) not in hangul:
            rows.append("{0x%x, %d, %d}" % (ord(c), len(pool), len(full)))
            pool += full
    table("static const uint32_t clean_pool[]", ["0x%x" % ord(c) for c in pool])
    print("/* a character, and where its full canonical decomposition lies in the pool */")
    table("static const struct { uint32_t c; uint16_t at; uint8_t n; } clean_decomposed[]", rows)
    rows, start, before = [], None, 0
    for i in range(0x110001):
        ccc = unicodedata.combining(chr(i)) if i < 0x110000 else 0
        if ccc != before:
            if before:
                rows.append("{0x%x, 0x%x, %d}" % (start, i - 1, before))
            start, before = i, ccc
    print("/* first, last, canonical combining class */")
    table("static const struct { uint32_t first, last; uint8_t order; } clean_marks[]", rows)
    rows = []
    for c in chars:
        d = unicodedata.decomposition(c)
        if d and not d.startswith("<") and len(d.split()) == 2:
            a, b = (int(x, 16) for x in d.split())
            if unicodedata.normalize("NFC", chr(a) + chr(b)) == c:
                rows.append((a, b, ord(c)))
    print("/* first, second, what they compose to; sorted */")
    table("static const struct { uint32_t a, b, c; } clean_composed[]",
          ["{0x%x, 0x%x, 0x%x}" % r for r in sorted(rows)])
    rows = [("{0x%x, %s}" % (i, c_string(unicodedata.normalize("NFKC", chr(i)))))
            for i in range(0xFF01, 0xFFF0) if unicodedata.normalize("NFKC", chr(i)) != chr(i)]
    print("/* full- and half-width forms and their NFKC */")
    table("static const struct { uint32_t c; const char *to; } clean_width[]", rows)
    names = sorted(html.entities.html5.items(), key=lambda x: x[0].encode())
    print("/* HTML 5 character references without the &; sorted by bytes */")
    table("static const struct { const char *name, *to; } clean_entity[]",
          ["{%s, %s}" % (c_string(n), c_string(v)) for n, v in names])
    print("/* clang-format on */")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="ascii")
    main()
