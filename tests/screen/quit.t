# Ctrl-C and Q ask, and say so while a clip is on air; anything but y is No.
size 80 24
say bo cat pilot in a storm
do approve 1
drawn good
do air 1
on-air
key C-c
screen
| ✿ sakuga   ● ON AIR   irc ✓  animatic ✓  cpu 42% 96M  disk 212G       16:00:00 |
| SUBMISSIONS OPEN  held 0  ready 0  review 0  aired 0  a new one airs in 1 s    |
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
| A clip is ON AIR. End the show? y/N                                            |
| y Yes  Enter No                                                      F12 PANIC |
~ cccccccc  RRRRRRRRRR  ooooo  oooooooooo                               ffffffff ~
~ oooooooooooooooo  bbbbbb  bbbbbbb  bbbbbbbb  bbbbbbb                           ~
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
~ ggggggggggggggggggggggggggggggggggg                                            ~
~ g xxx  ggggg xx                                                     TTTTTTTTTTT~
~ cursor 37 22
key Enter
screen
| ✿ sakuga   ● ON AIR   irc ✓  animatic ✓  cpu 42% 96M  disk 212G       16:00:00 |
| SUBMISSIONS OPEN  held 0  ready 0  review 0  aired 0  a new one airs in 1 s    |
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
| · not done                                                                     |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  RRRRRRRRRR  ooooo  oooooooooo                               ffffffff ~
~ oooooooooooooooo  bbbbbb  bbbbbbb  bbbbbbbb  bbbbbbb                           ~
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
~ bbbbbbbbbb                                                                     ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxxx    TTTTTTTTTTT~
key Q
screen
| ✿ sakuga   ● ON AIR   irc ✓  animatic ✓  cpu 42% 96M  disk 212G       16:00:00 |
| SUBMISSIONS OPEN  held 0  ready 0  review 0  aired 0  a new one airs in 1 s    |
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
| A clip is ON AIR. End the show? y/N                                            |
| y Yes  Enter No                                                      F12 PANIC |
~ cccccccc  RRRRRRRRRR  ooooo  oooooooooo                               ffffffff ~
~ oooooooooooooooo  bbbbbb  bbbbbbb  bbbbbbbb  bbbbbbb                           ~
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
~ ggggggggggggggggggggggggggggggggggg                                            ~
~ g xxx  ggggg xx                                                     TTTTTTTTTTT~
~ cursor 37 22
key Esc
screen
| ✿ sakuga   ● ON AIR   irc ✓  animatic ✓  cpu 42% 96M  disk 212G       16:00:00 |
| SUBMISSIONS OPEN  held 0  ready 0  review 0  aired 0  a new one airs in 1 s    |
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
| · not done                                                                     |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  RRRRRRRRRR  ooooo  oooooooooo                               ffffffff ~
~ oooooooooooooooo  bbbbbb  bbbbbbb  bbbbbbbb  bbbbbbb                           ~
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
~ bbbbbbbbbb                                                                     ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxxx    TTTTTTTTTTT~
