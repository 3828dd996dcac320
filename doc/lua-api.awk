# Prints doc/lua-api.md from the comments that begin with `---` in lua/prelude.lua: the manual stands beside the
# function it tells of. tests/lint/lua-api fails when the two differ.
BEGIN {
    print "# Lua in sakuga"
    print ""
    print "<!-- made from lua/prelude.lua by doc/lua-api.awk; edit there -->"
    print ""
    print "Scripts are named in `show.lua` (`scripts = { \"commands\", \"styles\" }`): files or folders, searched in the"
    print "config folder, then among the installed ones. Each runs in an environment of its own with Lua's `string`,"
    print "`table`, `math`, `utf8`, `coroutine` (no `close`), `os.time`, `os.date` and `os.clock`, and the table `sakuga`."
    print "There is no `io`, `require`, `load`, `xpcall` or `debug`. A handler has 1,000,000 instructions and 50 ms; all"
    print "scripts together have 32 MB. An error is written to the log with file, line and traceback; the show goes on."
    print "`sakuga ctl script reload` loads all files anew, and keeps the old ones when one has an error."
    print ""
    print "A call that changes the show suspends the handler until the answer is there. While scripts are late"
    print "(250 ms) or dead, `!anime`, `!queue`, `!mine` and `!cancel` are answered by the program itself."
}
/^ *---( |$)/ {
    line = $0
    sub(/^ *--- ?/, "", line)
    if (line ~ /^###/) {
        print ""
        sub(/^###/, "##", line)
    }
    print line
    seen++
}
END {
    if (seen < 40) exit 1
}
