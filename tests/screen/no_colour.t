# NO_COLOR: weight and words carry everything, pictures are letters.
size 104 30
look mono
look no-colour
say sol a dragon made of paper lanterns
say mika_ch neon fox running over wet rooftops, city glow
say bo cat pilot in a storm
do approve 1 2
drawn bad
engine draw 57 encode 12000
picture preview
key j
picture review
screen
| ✿ sakuga   ○ STANDBY   obs none  irc ✓  ▶ #2 57%  cpu 42% 96M  store ✓  disk 212G  scripts ✓  16:00:00 |
| SUBMISSIONS OPEN  held 1  ready 0  review 1  aired 0  rejected 0  a new one airs in 14 s               |
|╭─ 1 Held 1 ─────────────────────────────────────────────╮╭─ 4 Now ───────────────────────── animatic ─╮|
|│▌  #3 irc bo          0s cat pilot in a storm           ││      ..............:::::  #2 mika_ch  def… │|
|│                                                        ││ ......::::::::::::::----  neon fox running │|
|│                                                        ││ ::::::::--------------==  over wet         │|
|│                                                        ││ -------==============+++  rooftops, city   │|
|│                                                        ││ =======+++++++++++++++**  glow             │|
|│                                                        ││ +++++++++**************#  encode  seed 22… │|
|│                                                        ││ **********##############  ━━━───  57% 0:12 │|
|│                                                        │╰────────────────────────────────────────────╯|
|│                                                        │╭─ 3 Review 1 ─────────────── waits for you ─╮|
|│                                                        ││  #1 sol 0:05 ✗ a dragon made of paper lant…│|
|╰────────────────────────────────────────────────────────╯│ ✗ failed: black: for 2 s                   │|
|╭─ 2 Ready 0 ────────────────────────────────────────────╮│               ........................:::  │|
|│  nothing is approved yet                               ││  .........................:::::::::::::::  │|
|│                                                        ││ ...........:::::::::::::::::::::::-------  │|
|│                                                        ││ ::::::::::::::::::::::-------------------  │|
|│                                                        ││ ::::::::------------------------=========  │|
|│                                                        ││ --------------------=====================  │|
|│                                                        ││ -----========================++++++++++++  │|
|╰────────────────────────────────────────────────────────╯│ =================++++++++++++++++++++++++  │|
|╭─ 5 Log ────────────────────────────────────────────────╮│ ==++++++++++++++++++++++++***************  │|
|│                                                        ││ ++++++++++++++************************###  │|
|│                                                        ││ ************************#################  │|
|│                                                        ││ ************#######################%%%%%%  │|
|│                                                        ││                                            │|
|╰────────────────────────────────────────────────────────╯╰────────────────────────────────────────────╯|
|                                                                                                        |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  w Why  z Undo  / Filter  ? Help    F12 PANIC |
~ cccccccc  ccccccccccc  bbbbbbbb         cccccccc                                                       ~
~                   cccccc  bbbbbbb  cccccccc  bbbbbbb  bbbbbbbbbb                                       ~
~ccggggggggccccccccccccccccccccccccccccccccccccccccccccccccbb       bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb~
~cchgggh???hhhhhhhhhhhh???hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhcb                           ccc              b~
~c                                                        cb                                            b~
~c                                                        cb                                            b~
~c                                                        cb                                            b~
~c                                                        cb                                            b~
~c                                                        cb                           bbbbbbbbbbbbbbbb b~
~c                                                        cb                           cccbbbcccccccccc b~
~c                                                        cbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb~
~c                                                        cbb          ccbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb~
~c                                                        cbiiqqqiiii?????qqiiiiiiiiiiiiiiiiiiiiiiiiiiiib~
~ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccb qqqqqqqqqqqqqqqqqqqqqqqq                   b~
~bb         ccbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb                                            b~
~b  bbbbbbbbbbbbbbbbbbbbbbb                               bb                                            b~
~b                                                        bb                                            b~
~b                                                        bb                                            b~
~b                                                        bb                                            b~
~b                                                        bb                                            b~
~b                                                        bb                                            b~
~bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb                                            b~
~bb       bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb                                            b~
~b                                                        bb                                            b~
~b                                                        bb                                            b~
~b                                                        bb                                            b~
~b                                                        bb                                            b~
~bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb~
~                                                                                                        ~
~ c bbbbbbb  c bbbbbb  c bbbb  ccccc bbb  c bbbbbbbbbbbbbb  c bbb  c bbbb  c bbbbbb  c bbbb   ggggggggggg~
