# Help is made from the tables.
size 80 24
key ?
screen
| ✿ sakuga   ○ STANDBY   irc ✓  animatic ✓  cpu 42% 96M  disk 212G      16:00:00 |
| SUBMISSIONS OPEN  held 0  ready 0  review 0  aired 0  ETA unknown yet          |
|╭─ Help ────────────────────────────────────────────── j k scroll, Esc closes ─╮|
|│ Decisions                                                                    ┃|
|│ a           approve    pass gate 1: the prompt may be drawn                  ┃|
|│ x           reject     refuse a prompt or its clip                           ┃|
|│ v           air        pass gate 2: the clip may be shown                    ┃|
|│ c           cancel     drop a prompt, also while it is drawn                 ┃|
|│ r           reroll     draw the clip again with another seed                 ┃|
|│ e           edit       change the text of a prompt that waits                │|
|│ +           up         raise a prompt's priority                             │|
|│ -           down       lower a prompt's priority                             │|
|│ f           favourite  keep its clip for ever, or not                        │|
|│ w           why        why it stands where it stands                         │|
|│ z           undo       take back the last decision                           │|
|│ o           toggle     open or close submissions                             │|
|│ p           pause      start no new job; what runs goes on                   │|
|│ F12         panic      cut to standby, now                                   │|
|│ Q           quit       end the show cleanly                                  │|
|│                        In review `a` airs the clip.                          │|
|│                        `x` asks why: a digit, words, or Enter.               │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
|                                                                                |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  oooooooooo                              ffffffff ~
~ oooooooooooooooo  bbbbbb  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb          ~
~eeggggggeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeebbbbbbbbbbbbbbbbbbbbbbbbee~
~e ggggggggg                                                                    ?~
~e g           lllllll                                                          ?~
~e g           llllll                                                           ?~
~e g           lll                                                              ?~
~e g           llllll                                                           ?~
~e g           llllll                                                           ?~
~e g           llll                                                             e~
~e g           ll                                                               e~
~e g           llll                                                             e~
~e g           lllllllll                                                        e~
~e g           lll                                                              e~
~e g           llll                                                             e~
~e g           llllll                                                           e~
~e g           lllll                                                            e~
~e ggg         lllll                                                            e~
~e g           llll                                                             e~
~e                                                                              e~
~e                                                                              e~
~eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~                                                                                ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxxx    TTTTTTTTTTT~
key PgDn PgDn PgDn PgDn
screen
| ✿ sakuga   ○ STANDBY   irc ✓  animatic ✓  cpu 42% 96M  disk 212G      16:00:00 |
| SUBMISSIONS OPEN  held 0  ready 0  review 0  aired 0  ETA unknown yet          |
|╭─ Help ────────────────────────────────────────────── j k scroll, Esc closes ─╮|
|│ Space                  tag or untag, and go on                               │|
|│ U                      untag all                                             │|
|│ A                      approve (in review: air) all tagged                   │|
|│ X                      reject all tagged                                     │|
|│ Enter                  everything about the prompt                           │|
|│ /                      show only what matches: words, user:…, style:…, !word │|
|│ :                      any command by name; Tab completes                    │|
|│ ? F1                   this help                                             │|
|│ Esc q                  close what is open, clear filter and tags             │|
|│ !                      twice: panic, like F12                                │|
|│ C-l                    draw the screen anew                                  │|
|│ C-z                    to the shell; `fg` comes back (the show waits meanwhi…│|
|│ C-c                    ask to quit; says so while a clip is on air           ┃|
|│                                                                              ┃|
|│ Commands for the `:` line                                                    ┃|
|│ :open                  open submissions                                      ┃|
|│ :close                 close submissions                                     ┃|
|│ :resume                leave pause and panic                                 ┃|
|╰──────────────────────────────────────────────────────────────────────────────╯|
|                                                                                |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  oooooooooo                              ffffffff ~
~ oooooooooooooooo  bbbbbb  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb          ~
~eeggggggeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeebbbbbbbbbbbbbbbbbbbbbbbbee~
~e ggggg                                                                        e~
~e g                                                                            e~
~e g                                                                            e~
~e g                                                                            e~
~e ggggg                                                                        e~
~e g                                                                            e~
~e g                                                                            e~
~e gggg                                                                         e~
~e ggggg                                                                        e~
~e g                                                                            e~
~e ggg                                                                          e~
~e ggg                                                                          e~
~e ggg                                                                          ?~
~e                                                                              ?~
~e ggggggggggggggggggggggggg                                                    ?~
~e gggggg                                                                       ?~
~e ggggggg                                                                      ?~
~e gggggggg                                                                     ?~
~eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~                                                                                ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxxx    TTTTTTTTTTT~
key q
screen
| ✿ sakuga   ○ STANDBY   irc ✓  animatic ✓  cpu 42% 96M  disk 212G      16:00:00 |
| SUBMISSIONS OPEN  held 0  ready 0  review 0  aired 0  ETA unknown yet          |
|╭─ 1 Held 0 ───────────────────────────────────────────────────────────────────╮|
|│  nobody waits; chat asks with !anime                                         │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
|╭─ 2 Ready 0 ──────────────────────────────────────────────────────────────────╮|
|│  nothing is approved yet                                                     │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
|╭─ 5 Log ──────────────────────────────────────────────────────────────────────╮|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
|                                                                                |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  oooooooooo                              ffffffff ~
~ oooooooooooooooo  bbbbbb  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb          ~
~eeggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~e  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb                                         e~
~e                                                                              e~
~e                                                                              e~
~e                                                                              e~
~e                                                                              e~
~e                                                                              e~
~e                                                                              e~
~eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~ddfffffffffnnddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~d  bbbbbbbbbbbbbbbbbbbbbbb                                                     d~
~d                                                                              d~
~d                                                                              d~
~d                                                                              d~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~ddfffffffddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~d                                                                              d~
~d                                                                              d~
~d                                                                              d~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~                                                                                ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxxx    TTTTTTTTTTT~
# A key decides on nothing that the help hides.
say aki neon fox
say bo two foxes
do approve 2
engine draw 40 draw 9000
key ? a c
size 80 10
screen
| ✿ sakuga   ○ STANDBY   irc ✓  ▶ #2 40%  cpu 42% 96M  disk 212G        16:00:00 |
|╭─ Help ────────────────────────────────────────────── j k scroll, Esc closes ─╮|
|│ Decisions                                                                    ┃|
|│ a           approve    pass gate 1: the prompt may be drawn                  │|
|│ x           reject     refuse a prompt or its clip                           │|
|│ v           air        pass gate 2: the clip may be shown                    │|
|│ c           cancel     drop a prompt, also while it is drawn                 │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
| ✗ the help hides what this is about: Esc closes it                             |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  eeeeeeee                                ffffffff ~
~eeggggggeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeebbbbbbbbbbbbbbbbbbbbbbbbee~
~e ggggggggg                                                                    ?~
~e g           lllllll                                                          e~
~e g           llllll                                                           e~
~e g           lll                                                              e~
~e g           llllll                                                           e~
~eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~ pppppppppppppppppppppppppppppppppppppppppppppppppp                             ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxxx    TTTTTTTTTTT~
key Esc
screen
| ✿ sakuga   ○ STANDBY   irc ✓ 120/min  ▶ #2 40%  cpu 42% 96M           16:00:01 |
|╭─ 1 Held 1 ───────────────────────────────────────────────────────────────────╮|
|│▌  #1 irc aki           0s neon fox                                           │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
| ✗ the help hides what this is about: Esc closes it                             |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooooooooooo  eeeeeeee                        ffffffff ~
~eeggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~eEAEEEABBBALLLAAAAAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAe~
~e                                                                              e~
~e                                                                              e~
~e                                                                              e~
~e                                                                              e~
~eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~ pppppppppppppppppppppppppppppppppppppppppppppppppp                             ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxxx    TTTTTTTTTTT~
