#!/usr/bin/env python3
"""Writes clean_table.c: what prompt cleaning knows of Unicode and of HTML.

    python3 src/wan/clean_table.py [UCD] >src/wan/clean_table.c

UCD is a folder with UnicodeData.txt and CompositionExclusions.txt (Debian: unicode-data, in
/usr/share/unicode, the default). The names of HTML characters are Python's html.entities.
"""
import html, html.entities, sys

ucd = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode"
ccc, canonical, compat = {}, {}, {}
for line in open(ucd + "/UnicodeData.txt"):
    f = line.split(";")
    c = int(f[0], 16)
    if f[3] != "0":
        ccc[c] = int(f[3])
    parts = f[5].split()
    if parts and parts[0][0] == "<":
        compat[c] = [int(x, 16) for x in parts[1:]]
    elif parts:
        canonical[c] = [int(x, 16) for x in parts]
excluded, version = set(), ""
for line in open(ucd + "/CompositionExclusions.txt"):
    if line.startswith("# CompositionExclusions-"):
        version = line[24:].split(".txt")[0]
    if line.split("#")[0].strip():
        excluded.add(int(line.split("#")[0], 16))


def rows(items, width=100):
    out = line = ""
    for item in items:
        if len(line) + len(item) + 2 > width:
            out, line = out + line.rstrip() + "\n", ""
        line += ("    " if not line else "") + item + ", "
    return out + line.rstrip() + "\n"


def array(kind, name, items):
    items = list(items)
    print(f"\nconst {kind} {name}[] = {{\n{rows(items)}}};\nconst int {name}_n = {len(items)};")


print("/* Made by clean_table.py from the Unicode Character Database " + version + "; do not edit. */")
print('#include "wan/clean_table.h"\n\n/* clang-format off */', end="")

ranges = []
for c in sorted(ccc):
    if ranges and ranges[-1][1] == c - 1 and ranges[-1][2] == ccc[c]:
        ranges[-1][1] = c
    else:
        ranges.append([c, c, ccc[c]])
array("struct class_range", "class_ranges", (f"{{{a:#x},{b:#x},{k}}}" for a, b, k in ranges))

order = sorted(canonical)
array("struct decomposition", "decompositions",
      (f"{{{c:#x},{{{','.join(map(hex, canonical[c]))}}}}}" for c in order))
pairs = [i for i, c in enumerate(order) if len(canonical[c]) == 2 and c not in excluded
         and c not in ccc and canonical[c][0] not in ccc]
pairs.sort(key=lambda i: canonical[order[i]])
array("uint16_t", "compositions", map(str, pairs))


def nfkc(c):
    for table in (compat, canonical):
        if c in table:
            return [y for x in table[c] for y in nfkc(x)]
    return [c]


wide = [(c, nfkc(c)) for c in range(0xFF01, 0xFFF0)]
array("struct decomposition", "wide_forms",
      (f"{{{c:#x},{{{','.join(map(hex, to))}}}}}" for c, to in wide if to != [c]))

names = {}
for name, text in html.entities.html5.items():
    bare = not name.endswith(";")
    name = name.rstrip(";")
    assert names.get(name, (text,))[0] == text
    names[name] = (text, bare or names.get(name, (0, False))[1])


def entity(name, text, bare):
    assert len(text) <= 3
    return f'{{"{name}",{int(bare)},{{{",".join(hex(ord(c)) for c in text)}}}}}'


array("struct entity", "entities", (entity(n, *names[n]) for n in sorted(names)))
upper = {}
for name, (text, bare) in names.items():
    loud = "&" + name.upper() + ";"
    if name == name.lower() and html.unescape(loud) == loud:
        upper[name.upper()] = text.upper()
array("struct entity", "loud_entities", (entity(n, upper[n], False) for n in sorted(upper)))
