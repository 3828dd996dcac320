# Enter and w show everything about a prompt and why it stands where it stands.
size 80 24
audience 3
do approve 1 2 3
key 2 j + w
screen
| ✿ sakuga   ○ STANDBY   irc ✓  animatic ✓  cpu 42% 96M  disk 212G      16:00:00 |
| SUBMISSIONS OPEN  held 0  ready 2  review 0  aired 0  ETA unknown yet          |
|╭─ Prompt #3 ───────────────────────────────────────────────────── Esc closes ─╮|
|│ wish number 3 of the crowd                                                   │|
|│                                                                              │|
|│ viewer     viewer2 (irc, viewer)                                             │|
|│ asked      0s ago                                                            │|
|│ state      approved                                                          │|
|│ style      default                                                           │|
|│ seed       3333                                                              │|
|│                                                                              │|
|│ #3 is approved; place 1; sum 10000 = priority 10000 + votes 0 + turn 0 + age │|
|│ 0                                                                            │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
| ✓ #3 has priority +1  (z takes it back)                                        |
| + Up  - Down  x Reject  e Edit  w Why  z Undo  / Filter  ? Help      F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  oooooooooo                              ffffffff ~
~ oooooooooooooooo  bbbbbb  nnnnnnn  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb          ~
~eegggggggggggeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeebbbbbbbbbbbbee~
~e                                                                              e~
~e                                                                              e~
~e bbbbbb                                                                       e~
~e bbbbb                                                                        e~
~e bbbbb                                                                        e~
~e bbbbb                                                                        e~
~e bbbb                                                                         e~
~e                                                                              e~
~e xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx e~
~e x                                                                            e~
~e                                                                              e~
~e                                                                              e~
~e                                                                              e~
~e                                                                              e~
~e                                                                              e~
~e                                                                              e~
~e                                                                              e~
~e                                                                              e~
~eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~                                                                                ~
~ g xx  g xxxx  g xxxxxx  g xxxx  g xxx  g xxxx  g xxxxxx  g xxxx     TTTTTTTTTTT~
key Esc
screen
| ✿ sakuga   ○ STANDBY   irc ✓  animatic ✓  cpu 42% 96M  disk 212G      16:00:00 |
| SUBMISSIONS OPEN  held 0  ready 2  review 0  aired 0  ETA unknown yet          |
|╭─ 1 Held 0 ───────────────────────────────────────────────────────────────────╮|
|│  nobody waits; chat asks with !anime                                         │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
|╭─ 2 Ready 2 ──────────────────────────────────────────────────────────────────╮|
|│▌  1  #3 viewer2                pri+1 wish number 3 of the crowd              │|
|│   2  #2 viewer1                wish number 2 of the crowd                    │|
|│                                                                              │|
|│                                                                              │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
|╭─ 5 Log ──────────────────────────────────────────────────────────────────────╮|
|│                                                                              │|
|│                                                                              │|
|│                                                                              │|
|╰──────────────────────────────────────────────────────────────────────────────╯|
| ✓ #3 has priority +1  (z takes it back)                                        |
| + Up  - Down  x Reject  e Edit  w Why  z Undo  / Filter  ? Help      F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  oooooooooo                              ffffffff ~
~ oooooooooooooooo  bbbbbb  nnnnnnn  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb          ~
~ddffffffffnndddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~d  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb                                         d~
~d                                                                              d~
~d                                                                              d~
~d                                                                              d~
~d                                                                              d~
~d                                                                              d~
~d                                                                              d~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~eegggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~eEANNAEEEALLLLLLLAAAAAABBBBBBBBBAPPPPPAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAe~
~e  nn eee lllllll      bbbbbbbbb                                               e~
~e                                                                              e~
~e                                                                              e~
~eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~ddfffffffddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~d                                                                              d~
~d                                                                              d~
~d                                                                              d~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~                                                                                ~
~ g xx  g xxxx  g xxxxxx  g xxxx  g xxx  g xxxx  g xxxxxx  g xxxx     TTTTTTTTTTT~
