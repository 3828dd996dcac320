# 80x24: lists and log; the right column takes the lists' place when it has the focus.
size 80 24
say mika_ch neon fox running over wet rooftops, city glow
say 世蓮 雨の駅、青い傘をさす少女
say fan🇯🇵 family of 👨‍👩‍👧 foxes ❤️ having tea
say bo cat pilot in a storm
time 65000
screen
| ✿ sakuga   ○ STANDBY   irc ✓  engine stale 1m  cpu 42% 96M            16:01:05 |
| SUBMISSIONS OPEN  held 4  ready 0  review 0  aired 0  ETA unknown yet          |
|╭─ 1 Held 4 ───────────────────────────────────────────────────────────────────╮|
|│▌  #1 irc mika_ch       1m neon fox running over wet rooftops, city glow      │|
|│   #2 irc 世蓮          1m 雨の駅、青い傘をさす少女                           │|
|│   #3 irc fanJP         1m family of 👨 foxes ❤ having tea                   │|
|│   #4 irc bo            1m cat pilot in a storm                               │|
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
~ cccccccc  SSSSSSSSSSS  ooooo  qqqqqqqqqqqqqqq                         ffffffff ~
~ oooooooooooooooo  nnnnnn  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb          ~
~eeggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~eEAEEEABBBALLLLLLLAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAe~
~e  eee bbb llll         bbb                                                    e~
~e  eee bbb lllll        bbb                                                    e~
~e  eee bbb ll           bbb                                                    e~
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
key a
engine draw 57 encode 12000
picture preview
screen
| ✿ sakuga   ○ STANDBY   irc ✓  ▶ #1 57%  cpu 42% 96M  disk 212G        16:01:05 |
| SUBMISSIONS OPEN  held 3  ready 0  review 0  aired 0  ETA unknown yet          |
|╭─ 1 Held 3 ───────────────────────────────────────────────────────────────────╮|
|│▌  #2 irc 世蓮          1m 雨の駅、青い傘をさす少女                           │|
|│   #3 irc fanJP         1m family of 👨 foxes ❤ having tea                   │|
|│   #4 irc bo            1m cat pilot in a storm                               │|
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
| ✓ approved #1  (z takes it back)                                               |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  eeeeeeee                                ffffffff ~
~ oooooooooooooooo  nnnnnn  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb          ~
~eeggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~eEAEEEABBBALLLLAAAAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAe~
~e  eee bbb lllll        bbb                                                    e~
~e  eee bbb ll           bbb                                                    e~
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
key 4
screen
| ✿ sakuga   ○ STANDBY   irc ✓  ▶ #1 57%  cpu 42% 96M  disk 212G        16:01:05 |
| SUBMISSIONS OPEN  held 3  ready 0  review 0  aired 0  ETA unknown yet          |
|╭─ 4 Now ─────────────────────────────────────────────────────────── animatic ─╮|
|│ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  #1 mika_ch  default                                    │|
|│ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  neon fox running over wet rooftops, city glow          │|
|│ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀                                                         │|
|│ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀                                                         │|
|│ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  encode  seed 1111                                      │|
|│ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  ━━━━━━━━━━━━━━━━━━━━━━━━━───────────────────  57% 0:12 │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
|╭─ 3 Review 0 ─────────────────────────────────────────────────────────────────╮|
|│ no clip waits for a decision                                                 │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
|╭─ 5 Log ──────────────────────────────────────────────────────────────────────╮|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
| ✓ approved #1  (z takes it back)                                               |
| c Cancel  p Pause  o Close  z Undo  : Command  ? Help                F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  eeeeeeee                                ffffffff ~
~ oooooooooooooooo  nnnnnn  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb          ~
~eegggggggeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeebbbbbbbbbbee~
~e %%%%%%%%%%%%%%%%%%%%  eeelllllllllmmmmmmm                                    e~
~e %%%%%%%%%%%%%%%%%%%%                                                         e~
~e %%%%%%%%%%%%%%%%%%%%                                                         e~
~e %%%%%%%%%%%%%%%%%%%%                                                         e~
~e %%%%%%%%%%%%%%%%%%%%  bbbbbbbbbbbbbbbbb                                      e~
~e %%%%%%%%%%%%%%%%%%%%  uuuuuuuuuuuuuuuuuuuuuuuuuvvvvvvvvvvvvvvvvvvvnnnnnnnnnn e~
~eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~ddffffffffffnndddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~d bbbbbbbbbbbbbbbbbbbbbbbbbbbb                                                 d~
~d                                                                              d~
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
~ g xxxxxx  g xxxxx  g xxxxx  g xxxx  g xxxxxxx  g xxxx               TTTTTTTTTTT~
drawn bad
key 3
picture review
screen
| ✿ sakuga   ○ STANDBY   irc ✓  ▶ #1 57%  cpu 42% 96M  disk 212G        16:01:05 |
| SUBMISSIONS OPEN  held 3  ready 0  review 1  aired 0  a new one airs in 16 s   |
|╭─ 4 Now ──────────────────────────────────────────────────────────── drawing ─╮|
|│ nothing is being drawn: the queue is empty                                   │|
|│                                                                              │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
|╭─ 3 Review 1 ───────────────────────────────────────────────── waits for you ─╮|
|│▌ #1 mika_ch 0:05 ✗ neon fox running over wet rooftops, city glow             │|
|│ ✗ failed: black: for 2 s                                                     │|
|│                           ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀                           │|
|│                           ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀                           │|
|│                           ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀                           │|
|│                           ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀                           │|
|│                           ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀                           │|
|│                           ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀                           │|
|│                           ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀                           │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
|╭─ 5 Log ──────────────────────────────────────────────────────────────────────╮|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
| ✓ approved #1  (z takes it back)                                               |
| a Air  x Reject  r Reroll  e Edit  f Favourite  z Undo  ? Help       F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  eeeeeeee                                ffffffff ~
~ oooooooooooooooo  nnnnnn  bbbbbbb  pppppppp  bbbbbbb                           ~
~ddfffffffddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddbbbbbbbbbdd~
~d bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb                                   d~
~d                                                                              d~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~eeggggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeebbbbbbbbbbbbbbbee~
~eEAEEELLLLLLLLBBBBBQQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAe~
~e qqqqqqqqqqqqqqqqqqqqqqqq                                                     e~
~e                           %%%%%%%%%%%%%%%%%%%%%%%%                           e~
~e                           %%%%%%%%%%%%%%%%%%%%%%%%                           e~
~e                           %%%%%%%%%%%%%%%%%%%%%%%%                           e~
~e                           %%%%%%%%%%%%%%%%%%%%%%%%                           e~
~e                           %%%%%%%%%%%%%%%%%%%%%%%%                           e~
~e                           %%%%%%%%%%%%%%%%%%%%%%%%                           e~
~e                           %%%%%%%%%%%%%%%%%%%%%%%%                           e~
~eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~ddfffffffddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~d                                                                              d~
~d                                                                              d~
~d                                                                              d~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~                                                                                ~
~ g xxx  g xxxxxx  g xxxxxx  g xxxx  g xxxxxxxxx  g xxxx  g xxxx      TTTTTTTTTTT~
