# 200x60: the inspector and the program stand beside.
size 200 60
obs sakuga_result 4
say sol a dragon made of paper lanterns
say mika_ch neon fox running over wet rooftops, city glow
do approve 1
drawn good
key 3
picture review
picture program
screen
| ✿ sakuga   ○ RESULT   sakuga_result  obs ✓ 4 ms  irc ✓  animatic ✓  cpu 42% 96M  store ✓  disk 212G  scripts ✓                                                                                16:00:00 |
| SUBMISSIONS OPEN  held 1  ready 0  review 1  aired 0  rejected 0  a new one airs in 2 s                                                                                                                |
|╭─ 1 Held 1 ────────────────────────────────────────────────────────────────────╮╭─ 4 Now ──────────────────────────────────────────────────── idle ─╮╭─ Prompt #1 ────────────────────────────────────╮|
|│   #2 irc mika_ch       0s neon fox running over wet rooftops, city glow       ││ nothing is being drawn: the queue is empty                        ││ a dragon made of paper lanterns                │|
|│                                                                               ││                                                                   ││                                                │|
|│                                                                               ││                                                                   ││ viewer     sol (irc, viewer)                   │|
|│                                                                               ││                                                                   ││ asked      0s ago                              │|
|│                                                                               ││                                                                   ││ state      review                              │|
|│                                                                               ││                                                                   ││ style      default                             │|
|│                                                                               ││                                                                   ││ seed       1111                                │|
|│                                                                               ││                                                                   ││ clip       000001-1.mp4                        │|
|│                                                                               ││                                                                   ││ length     0:05, drawn in 0:01                 │|
|│                                                                               ││                                                                   ││ frames     sha256 00…                          │|
|│                                                                               ││                                                                   ││                                                │|
|│                                                                               ││                                                                   ││ #1 is review; its clip waits for the operator  │|
|│                                                                               ││                                                                   ││                                                │|
|│                                                                               ││                                                                   ││                                                │|
|│                                                                               │╰───────────────────────────────────────────────────────────────────╯│                                                │|
|│                                                                               │╭─ 3 Review 1 ────────────────────────────────────── waits for you ─╮│                                                │|
|│                                                                               ││▌ #1 sol 0:05 ✓ a dragon made of paper lanterns                    ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|╰───────────────────────────────────────────────────────────────────────────────╯│  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|╭─ 2 Ready 0 ───────────────────────────────────────────────────────────────────╮│  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│  nothing is approved yet                                                      ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀   ││                                                │|
|│                                                                               ││                                                                   ││                                                │|
|│                                                                               ││ a dragon made of paper lanterns                                   ││                                                │|
|│                                                                               ││ sol  default                                                      ││                                                │|
|│                                                                               ││                                                                   │╰────────────────────────────────────────────────╯|
|│                                                                               ││                                                                   │╭─ Program ────────────────────── sakuga_result ─╮|
|╰───────────────────────────────────────────────────────────────────────────────╯│                                                                   ││▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀│|
|╭─ 5 Log ───────────────────────────────────────────────────────────────────────╮│                                                                   ││▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀│|
|│                                                                               ││                                                                   ││▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀│|
|│                                                                               ││                                                                   ││▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀│|
|│                                                                               ││                                                                   ││▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀│|
|│                                                                               ││                                                                   ││▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀│|
|│                                                                               ││                                                                   ││▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀│|
|│                                                                               ││                                                                   ││▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀│|
|│                                                                               ││                                                                   ││▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀│|
|│                                                                               ││                                                                   ││▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀│|
|│                                                                               ││                                                                   ││▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀│|
|│                                                                               ││                                                                   ││▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀│|
|│                                                                               ││                                                                   ││▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀│|
|│                                                                               ││                                                                   ││                                                │|
|╰───────────────────────────────────────────────────────────────────────────────╯╰───────────────────────────────────────────────────────────────────╯╰────────────────────────────────────────────────╯|
|                                                                                                                                                                                                        |
| a Air  x Reject  r Reroll  e Edit  f Favourite  z Undo  : Command  ? Help                                                                                                                    F12 PANIC |
~ cccccccc  SSSSSSSSSS                 oooooooooo  ooooo  oooooooooo               ooooooo             ooooooooo                                                                                ffffffff ~
~ oooooooooooooooo  nnnnnn  bbbbbbb  pppppppp  bbbbbbb  bbbbbbbbbb                                                                                                                                       ~
~ddffffffffnndddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddfffffffddddddddddddddddddddddddddddddddddddddddddddddddddddbbbbbbddddfffffffffffddddddddddddddddddddddddddddddddddddd~
~dAAEEEABBBALLLLLLLAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAdd bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb                        dd                                                d~
~d                                                                               dd                                                                   dd                                                d~
~d                                                                               dd                                                                   dd bbbbbb                                         d~
~d                                                                               dd                                                                   dd bbbbb                                          d~
~d                                                                               dd                                                                   dd bbbbb                                          d~
~d                                                                               dd                                                                   dd bbbbb                                          d~
~d                                                                               dd                                                                   dd bbbb                                           d~
~d                                                                               dd                                                                   dd bbbb                                           d~
~d                                                                               dd                                                                   dd bbbbbb                                         d~
~d                                                                               dd                                                                   dd bbbbbb                                         d~
~d                                                                               dd                                                                   dd                                                d~
~d                                                                               dd                                                                   dd xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx  d~
~d                                                                               dd                                                                   dd                                                d~
~d                                                                               dd                                                                   dd                                                d~
~d                                                                               ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd                                                d~
~d                                                                               deeggggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeebbbbbbbbbbbbbbbeed                                                d~
~d                                                                               deEAEEELLLLBBBBBOOAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddde  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~ddfffffffffnndddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddde  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d  bbbbbbbbbbbbbbbbbbbbbbb                                                      de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de  %%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%   ed                                                d~
~d                                                                               de                                                                   ed                                                d~
~d                                                                               de                                                                   ed                                                d~
~d                                                                               de lllllmmmmmmm                                                      ed                                                d~
~d                                                                               de                                                                   edddddddddddddddddddddddddddddddddddddddddddddddddd~
~d                                                                               de                                                                   eddfffffffffddddddddddddddddddddddbbbbbbbbbbbbbbbdd~
~ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddde                                                                   ed%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%d~
~ddfffffffdddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddde                                                                   ed%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%d~
~d                                                                               de                                                                   ed%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%d~
~d                                                                               de                                                                   ed%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%d~
~d                                                                               de                                                                   ed%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%d~
~d                                                                               de                                                                   ed%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%d~
~d                                                                               de                                                                   ed%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%d~
~d                                                                               de                                                                   ed%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%d~
~d                                                                               de                                                                   ed%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%d~
~d                                                                               de                                                                   ed%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%d~
~d                                                                               de                                                                   ed%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%d~
~d                                                                               de                                                                   ed%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%d~
~d                                                                               de                                                                   ed%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%d~
~d                                                                               de                                                                   ed                                                d~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeedddddddddddddddddddddddddddddddddddddddddddddddddd~
~                                                                                                                                                                                                        ~
~ g xxx  g xxxxxx  g xxxxxx  g xxxx  g xxxxxxxxx  g xxxx  g xxxxxxx  g xxxx                                                                                                                   TTTTTTTTTTT~
