# Pasted text does nothing outside an input; keys that no hand types are ignored.
size 80 24
audience 20
paste aaaaxxxx\nQy
screen
| ✿ sakuga   ○ STANDBY   irc ✓  animatic ✓  cpu 42% 96M  disk 212G      16:00:00 |
| SUBMISSIONS OPEN  held 20  ready 0  review 0  aired 0  ETA unknown yet         |
|╭─ 1 Held 20 ──────────────────────────────────────────────────────────────────╮|
|│▌  #1 irc viewer0       0s wish number 1 of the crowd                         ┃|
|│   #2 irc viewer1       0s wish number 2 of the crowd                         ┃|
|│   #3 irc viewer2       0s wish number 3 of the crowd                         │|
|│   #4 irc viewer3       0s wish number 4 of the crowd                         │|
|│   #5 irc viewer4       0s wish number 5 of the crowd                         │|
|│   #6 irc viewer5       0s wish number 6 of the crowd                         │|
|│   #7 irc viewer6       0s wish number 7 of the crowd                         │|
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
| ✗ pasted text was ignored: nothing asks for text here                          |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  oooooooooo                              ffffffff ~
~ oooooooooooooooo  nnnnnnn  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb         ~
~eeggggggggnnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~eEAEEEABBBALLLLLLLAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA?~
~e  eee bbb lllllll      bbb                                                    ?~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
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
~ ppppppppppppppppppppppppppppppppppppppppppppppppppppp                          ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxxx    TTTTTTTTTTT~
typing 5
type axxxxxxxxxx
key Enter
screen
| ✿ sakuga   ○ STANDBY   irc ✓  animatic ✓  cpu 42% 96M  disk 212G      16:00:00 |
| SUBMISSIONS OPEN  held 19  ready 0  review 0  aired 0  ETA unknown yet         |
|╭─ 1 Held 19 ──────────────────────────────────────────────────────────────────╮|
|│▌  #2 irc viewer1       0s wish number 2 of the crowd                         ┃|
|│   #3 irc viewer2       0s wish number 3 of the crowd                         ┃|
|│   #4 irc viewer3       0s wish number 4 of the crowd                         │|
|│   #5 irc viewer4       0s wish number 5 of the crowd                         │|
|│   #6 irc viewer5       0s wish number 6 of the crowd                         │|
|│   #7 irc viewer6       0s wish number 7 of the crowd                         │|
|│   #8 irc viewer7       0s wish number 8 of the crowd                         │|
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
| ✗ keys came faster than a hand types; they were ignored                        |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  oooooooooo                              ffffffff ~
~ oooooooooooooooo  nnnnnnn  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb         ~
~eeggggggggnnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~eEAEEEABBBALLLLLLLAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA?~
~e  eee bbb lllllll      bbb                                                    ?~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
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
~ ppppppppppppppppppppppppppppppppppppppppppppppppppppppp                        ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxxx    TTTTTTTTTTT~
time 400
type zzzzzzzzzzzz
screen
| ✿ sakuga   ○ STANDBY   irc ✓  animatic ✓  cpu 42% 96M  disk 212G      16:00:00 |
| SUBMISSIONS OPEN  held 20  ready 0  review 0  aired 0  ETA unknown yet         |
|╭─ 1 Held 20 ──────────────────────────────────────────────────────────────────╮|
|│▌  #2 irc viewer1       0s wish number 2 of the crowd                         ┃|
|│   #3 irc viewer2       0s wish number 3 of the crowd                         ┃|
|│   #4 irc viewer3       0s wish number 4 of the crowd                         │|
|│   #5 irc viewer4       0s wish number 5 of the crowd                         │|
|│   #6 irc viewer5       0s wish number 6 of the crowd                         │|
|│   #7 irc viewer6       0s wish number 7 of the crowd                         │|
|│   #8 irc viewer7       0s wish number 8 of the crowd                         │|
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
| ✗ keys came faster than a hand types; they were ignored                        |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  oooooooooo                              ffffffff ~
~ oooooooooooooooo  nnnnnnn  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb         ~
~eeggggggggnnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~eEAEEEABBBALLLLLLLAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA?~
~e  eee bbb lllllll      bbb                                                    ?~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
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
~ ppppppppppppppppppppppppppppppppppppppppppppppppppppppp                        ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxxx    TTTTTTTTTTT~
key a
screen
| ✿ sakuga   ○ STANDBY   irc ✓  animatic ✓  cpu 42% 96M  disk 212G      16:00:00 |
| SUBMISSIONS OPEN  held 20  ready 0  review 0  aired 0  ETA unknown yet         |
|╭─ 1 Held 20 ──────────────────────────────────────────────────────────────────╮|
|│▌  #2 irc viewer1       0s wish number 2 of the crowd                         ┃|
|│   #3 irc viewer2       0s wish number 3 of the crowd                         ┃|
|│   #4 irc viewer3       0s wish number 4 of the crowd                         │|
|│   #5 irc viewer4       0s wish number 5 of the crowd                         │|
|│   #6 irc viewer5       0s wish number 6 of the crowd                         │|
|│   #7 irc viewer6       0s wish number 7 of the crowd                         │|
|│   #8 irc viewer7       0s wish number 8 of the crowd                         │|
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
| ✗ keys came faster than a hand types; they were ignored                        |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  oooooooooo                              ffffffff ~
~ oooooooooooooooo  nnnnnnn  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb         ~
~eeggggggggnnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~eEAEEEABBBALLLLLLLAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA?~
~e  eee bbb lllllll      bbb                                                    ?~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
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
~ ppppppppppppppppppppppppppppppppppppppppppppppppppppppp                        ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxxx    TTTTTTTTTTT~
time 400
key a
screen
| ✿ sakuga   ○ STANDBY   irc ✓ 0/min  animatic ✓  cpu 42% 96M           16:00:01 |
| SUBMISSIONS OPEN  held 19  ready 0  review 0  aired 0  ETA unknown yet         |
|╭─ 1 Held 19 ──────────────────────────────────────────────────────────────────╮|
|│▌  #3 irc viewer2       1s wish number 3 of the crowd                         ┃|
|│   #4 irc viewer3       1s wish number 4 of the crowd                         ┃|
|│   #5 irc viewer4       1s wish number 5 of the crowd                         │|
|│   #6 irc viewer5       1s wish number 6 of the crowd                         │|
|│   #7 irc viewer6       1s wish number 7 of the crowd                         │|
|│   #8 irc viewer7       1s wish number 8 of the crowd                         │|
|│   #9 irc viewer8       1s wish number 9 of the crowd                         │|
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
| ✓ approved #2  (z takes it back)                                               |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooooooooo  oooooooooo                        ffffffff ~
~ oooooooooooooooo  nnnnnnn  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb         ~
~eeggggggggnnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~eEAEEEABBBALLLLLLLAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA?~
~e  eee bbb lllllll      bbb                                                    ?~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
~e  eee bbb lllllll      bbb                                                    e~
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
