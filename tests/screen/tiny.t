# A terminal of 40x10 shows the list alone; the other panes come with their number.
size 40 10
say mika_ch neon fox running over wet rooftops
say 世蓮 雨の駅、青い傘をさす少女
say bo cat pilot in a storm
screen
|  ○ STANDBY   irc ✓  animatic ✓         |
|  1 Held 3                              |
|▌  #1 mika_ch   0s neon fox running ove…|
|   #2 世蓮      0s 雨の駅、青い傘をさす…|
|   #3 bo        0s cat pilot in a storm |
|                                        |
|                                        |
|                                        |
|                                        |
| a Approve  x Reject  ? Help  F12 PANIC |
~ SSSSSSSSSSS  ooooo  oooooooooo         ~
~ ggggggggnn                             ~
~EAEEEALLLLLLLAABBBAAAAAAAAAAAAAAAAAAAAAA~
~  eee llll     bbb                      ~
~  eee ll       bbb                      ~
~                                        ~
~                                        ~
~                                        ~
~                                        ~
~ g xxxxxxx  g xxxxxx  g xxxx TTTTTTTTTTT~
key 2
screen
|  ○ STANDBY   irc ✓  animatic ✓         |
|  2 Ready 0                             |
|  nothing is approved yet               |
|                                        |
|                                        |
|                                        |
|                                        |
|                                        |
|                                        |
| + Up  - Down  ? Help         F12 PANIC |
~ SSSSSSSSSSS  ooooo  oooooooooo         ~
~ gggggggggnn                            ~
~  bbbbbbbbbbbbbbbbbbbbbbb               ~
~                                        ~
~                                        ~
~                                        ~
~                                        ~
~                                        ~
~                                        ~
~ g xx  g xxxx  g xxxx        TTTTTTTTTTT~
key 1 a
screen
|  ○ STANDBY   irc ✓  animatic ✓         |
|  1 Held 2                              |
|▌  #2 世蓮      0s 雨の駅、青い傘をさす…|
|   #3 bo        0s cat pilot in a storm |
|                                        |
|                                        |
|                                        |
|                                        |
| ✓ approved #1  (z takes it back)       |
| a Approve  x Reject  ? Help  F12 PANIC |
~ SSSSSSSSSSS  ooooo  oooooooooo         ~
~ ggggggggnn                             ~
~EAEEEALLLLAAAAABBBAAAAAAAAAAAAAAAAAAAAAA~
~  eee ll       bbb                      ~
~                                        ~
~                                        ~
~                                        ~
~                                        ~
~                                        ~
~ g xxxxxxx  g xxxxxx  g xxxx TTTTTTTTTTT~
key ?
screen
|  ○ STANDBY   irc ✓  animatic ✓         |
|╭─ Help ────── j k scroll, Esc closes ─╮|
|│ Decisions                            ┃|
|│ a           pass gate 1: the prompt …│|
|│ x           refuse a prompt or its c…│|
|│ v           pass gate 2: the clip ma…│|
|│ c           drop a prompt, also whil…│|
|╰──────────────────────────────────────╯|
| ✓ approved #1  (z takes it back)       |
| a Approve  x Reject  ? Help  F12 PANIC |
~ SSSSSSSSSSS  ooooo  oooooooooo         ~
~eeggggggeeeeeebbbbbbbbbbbbbbbbbbbbbbbbee~
~e ggggggggg                            ?~
~e g                                    e~
~e g                                    e~
~e g                                    e~
~e g                                    e~
~eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~                                        ~
~ g xxxxxxx  g xxxxxx  g xxxx TTTTTTTTTTT~
size 1 1
screen
|…|
~ ~
size 12 3
screen
|too small   |
|            |
|            |
~            ~
~            ~
~            ~
