# Everything that is wrong is said in words, and pushes away what is fine.
size 104 30
obs off
chat deaf 40
engine down
lamp disk
do pause lunch
lamp store
lamp script
log connection refused
screen
| ✿ sakuga  ✗ OBS down  ✗ CHAT DEAF 40s  ✗ engine down  ✗ STORE FAILED  ✗ DISK FULL 0.9G        16:00:00 |
| SUBMISSIONS OPEN  held 0  ready 0  review 0  aired 0  rejected 0  ETA unknown yet                      |
|╭─ 1 Held 0 ─────────────────────────────────────────────╮╭─ 4 Now ───────────────────────────── down ─╮|
|│  nobody waits; chat asks with !anime                   ││ paused: lunch; `:resume` goes on           │|
|│                                                        ││                                            │|
|│                                                        ││                                            │|
|│                                                        ││                                            │|
|│                                                        ││                                            │|
|│                                                        ││                                            │|
|│                                                        ││                                            │|
|│                                                        │╰────────────────────────────────────────────╯|
|│                                                        │╭─ 3 Review 0 ───────────────────────────────╮|
|│                                                        ││ no clip waits for a decision               │|
|╰────────────────────────────────────────────────────────╯│                                            │|
|╭─ 2 Ready 0 ────────────────────────────────────────────╮│                                            │|
|│  nothing is approved yet                               ││                                            │|
|│                                                        ││                                            │|
|│                                                        ││                                            │|
|│                                                        ││                                            │|
|│                                                        ││                                            │|
|│                                                        ││                                            │|
|╰────────────────────────────────────────────────────────╯│                                            │|
|╭─ 5 Log ────────────────────────────────────────────────╮│                                            │|
|│                                                        ││                                            │|
|│                                                        ││                                            │|
|│                                                        ││                                            │|
|│ 16:00:00  warning connection refused                   ││                                            │|
|╰────────────────────────────────────────────────────────╯╰────────────────────────────────────────────╯|
|                                                                                                        |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  w Why  z Undo  / Filter  ? Help    F12 PANIC |
~ cccccccc  qqqqqqqqqq  qqqqqqqqqqqqqqq  qqqqqqqqqqqqq  qqqqqqqqqqqqqq  qqqqqqqqqqqqqqqq        ffffffff ~
~ oooooooooooooooo  bbbbbb  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbb  bbbbbbbbbbbbbbb                      ~
~eeggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeddfffffffdddddddddddddddddddddddddddddbbbbbbdd~
~e  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb                   ed pppppppppppppppppppppppppppppppp           d~
~e                                                        ed                                            d~
~e                                                        ed                                            d~
~e                                                        ed                                            d~
~e                                                        ed                                            d~
~e                                                        ed                                            d~
~e                                                        ed                                            d~
~e                                                        edddddddddddddddddddddddddddddddddddddddddddddd~
~e                                                        eddffffffffffnndddddddddddddddddddddddddddddddd~
~e                                                        ed bbbbbbbbbbbbbbbbbbbbbbbbbbbb               d~
~eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeed                                            d~
~ddfffffffffnndddddddddddddddddddddddddddddddddddddddddddddd                                            d~
~d  bbbbbbbbbbbbbbbbbbbbbbb                               dd                                            d~
~d                                                        dd                                            d~
~d                                                        dd                                            d~
~d                                                        dd                                            d~
~d                                                        dd                                            d~
~d                                                        dd                                            d~
~ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd                                            d~
~ddfffffffdddddddddddddddddddddddddddddddddddddddddddddddddd                                            d~
~d                                                        dd                                            d~
~d                                                        dd                                            d~
~d                                                        dd                                            d~
~d bbbbbbbbbbpppppppp                                     dd                                            d~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~                                                                                                        ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxx  g xxxx  g xxxxxx  g xxxx   TTTTTTTTTTT~
size 80 24
screen
| ✿ sakuga  ✗ OBS down  ✗ CHAT DEAF 40s  ✗ STORE FAILED                 16:00:00 |
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
|│ 16:00:00  obs     warning connection refused                                 │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
|                                                                                |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  qqqqqqqqqq  qqqqqqqqqqqqqqq  qqqqqqqqqqqqqq                 ffffffff ~
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
~d bbbbbbbbbbbbb     pppppppp                                                   d~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~                                                                                ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxxx    TTTTTTTTTTT~
size 40 10
screen
| ✗ OBS down  ✗ STORE FAILED             |
|  1 Held 0                              |
|  nobody waits; chat asks with !anime   |
|                                        |
|                                        |
|                                        |
|                                        |
|                                        |
|                                        |
| a Approve  x Reject  ? Help  F12 PANIC |
~ qqqqqqqqqq  qqqqqqqqqqqqqq             ~
~ ggggggggnn                             ~
~  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb   ~
~                                        ~
~                                        ~
~                                        ~
~                                        ~
~                                        ~
~                                        ~
~ g xxxxxxx  g xxxxxx  g xxxx TTTTTTTTTTT~
engine idle
time 12000
chat ok
screen
| ✗ OBS down  ✗ STORE FAILED             |
|  1 Held 0                              |
|  nobody waits; chat asks with !anime   |
|                                        |
|                                        |
|                                        |
|                                        |
|                                        |
|                                        |
| a Approve  x Reject  ? Help  F12 PANIC |
~ qqqqqqqqqq  qqqqqqqqqqqqqq             ~
~ ggggggggnn                             ~
~  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb   ~
~                                        ~
~                                        ~
~                                        ~
~                                        ~
~                                        ~
~                                        ~
~ g xxxxxxx  g xxxxxx  g xxxx TTTTTTTTTTT~
obs sakuga_gallery 4
lamp script-error
size 180 10
screen
| ✿ sakuga   ○ GALLERY   sakuga_gallery  obs ✓ 4 ms  irc ✓ 0/min  engine stale 12s  cpu 42% 96M  ✗ STORE FAILED  ✗ DISK FULL 0.9G  ✗ scripts  PAUSED: lunch                 16:00:12 |
|╭─ 1 Held 0 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────╮|
|│  nobody waits; chat asks with !anime                                                                                                                                             │|
|│                                                                                                                                                                                  │|
|│                                                                                                                                                                                  │|
|│                                                                                                                                                                                  │|
|│                                                                                                                                                                                  │|
|╰──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────╯|
|                                                                                                                                                                                    |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  w Why  z Undo  / Filter  : Command  ? Help                                                                     F12 PANIC |
~ cccccccc  SSSSSSSSSSS                  oooooooooo  ooooooooooo  qqqqqqqqqqqqqqqq               qqqqqqqqqqqqqq  qqqqqqqqqqqqqqqq  ppppppppp  ppppppppppppp                 ffffffff ~
~eeggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~e  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb                                                                                                                                             e~
~e                                                                                                                                                                                  e~
~e                                                                                                                                                                                  e~
~e                                                                                                                                                                                  e~
~e                                                                                                                                                                                  e~
~eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~                                                                                                                                                                                    ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxx  g xxxx  g xxxxxx  g xxxxxxx  g xxxx                                                                    TTTTTTTTTTT~
