# F12 and !! need no confirmation and work while something is asked; only resume leaves it.
size 80 24
audience 2
key x F12
screen
| ✿ sakuga   ✗ PANIC   irc ✓  animatic ✓  cpu 42% 96M  disk 212G        16:00:00 |
| SUBMISSIONS OPEN  held 2  ready 0  review 0  aired 0  ETA unknown yet          |
|╭─ 1 Held 2 ───────────────────────────────────────────────────────────────────╮|
|│▌  #1 irc viewer0       0s wish number 1 of the crowd                         │|
|│   #2 irc viewer1       0s wish number 2 of the crowd                         │|
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
| Reject #1, why?                                                                |
| 1 off topic  2 rules  3 spam  4 person  5 copy  6 alike  7 unclear   F12 PANIC |
~ cccccccc  TTTTTTTTT  ooooo  oooooooooo                                ffffffff ~
~ oooooooooooooooo  nnnnnn  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb          ~
~eeggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~eEAEEEABBBALLLLLLLAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAe~
~e  eee bbb lllllll      bbb                                                    e~
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
~ ggggggggggggggg                                                                ~
~ g xxxxxxxxx  g xxxxx  g xxxx  g xxxxxx  g xxxx  g xxxxx  g xxxxxxx  TTTTTTTTTTT~
~ cursor 17 22
key Esc p
screen
| ✿ sakuga   ✗ PANIC   irc ✓  animatic ✓  cpu 42% 96M  disk 212G        16:00:00 |
| SUBMISSIONS OPEN  held 2  ready 0  review 0  aired 0  ETA unknown yet          |
|╭─ 1 Held 2 ───────────────────────────────────────────────────────────────────╮|
|│▌  #1 irc viewer0       0s wish number 1 of the crowd                         │|
|│   #2 irc viewer1       0s wish number 2 of the crowd                         │|
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
| ✗ panic: only `:resume` leaves it                                              |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  TTTTTTTTT  ooooo  oooooooooo                                ffffffff ~
~ oooooooooooooooo  nnnnnn  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb          ~
~eeggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~eEAEEEABBBALLLLLLLAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAe~
~e  eee bbb lllllll      bbb                                                    e~
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
~ ppppppppppppppppppppppppppppppppp                                              ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxxx    TTTTTTTTTTT~
key :
type resume
key Enter
key ! !
screen
| ✿ sakuga   ✗ PANIC   irc ✓ 0/min  animatic ✓  cpu 42% 96M  disk 212G  16:00:01 |
| SUBMISSIONS OPEN  held 2  ready 0  review 0  aired 0  ETA unknown yet          |
|╭─ 1 Held 2 ───────────────────────────────────────────────────────────────────╮|
|│▌  #1 irc viewer0       1s wish number 1 of the crowd                         │|
|│   #2 irc viewer1       1s wish number 2 of the crowd                         │|
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
| ✓ panic: the stage is on standby; `resume` goes on                             |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  TTTTTTTTT  ooooooooooo  oooooooooo                          ffffffff ~
~ oooooooooooooooo  nnnnnn  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb          ~
~eeggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~eEAEEEABBBALLLLLLLAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAe~
~e  eee bbb lllllll      bbb                                                    e~
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
