# 104x30: everything at once.
size 104 30
obs sakuga_gallery 4
say sol a dragon made of paper lanterns
say mika_ch neon fox running over wet rooftops, city glow
say 世蓮 雨の駅、青い傘をさす少女
say bo cat pilot in a storm
say lin train over the sea at dawn
do approve 1 2 3
drawn good
engine draw 40 draw 9000
picture preview
time 12000
engine draw 41 draw 8000
obs sakuga_result 4
screen
| ✿ sakuga   ○ RESULT   sakuga_result  obs ✓ 4 ms  irc ✓  ▶ #2 41%  cpu 42% 96M  disk 212G      16:00:12 |
| SUBMISSIONS OPEN  held 2  ready 1  review 1  aired 0  rejected 0  a new one airs in 12 s               |
|╭─ 1 Held 2 ─────────────────────────────────────────────╮╭─ 4 Now ───────────────────────── animatic ─╮|
|│▌  #4 irc bo         12s cat pilot in a storm           ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  #2 mika_ch  def… │|
|│   #5 irc lin        12s train over the sea at dawn     ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  neon fox running │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  over wet         │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  rooftops, city   │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  glow             │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  draw  seed 2222  │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  ━━────  41% 0:08 │|
|│                                                        │╰────────────────────────────────────────────╯|
|│                                                        │╭─ 3 Review 1 ─────────────── waits for you ─╮|
|│                                                        ││  #1 sol 0:05 ✓ a dragon made of paper lant…│|
|╰────────────────────────────────────────────────────────╯│ the clip is being opened                   │|
|╭─ 2 Ready 1 ────────────────────────────────────────────╮│                                            │|
|│   1  #3 世蓮             9 s 雨の駅、青い傘をさす少女  ││                                            │|
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
|│                                                        ││                                            │|
|╰────────────────────────────────────────────────────────╯╰────────────────────────────────────────────╯|
|                                                                                                        |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  w Why  z Undo  / Filter  ? Help    F12 PANIC |
~ cccccccc  SSSSSSSSSS                 oooooooooo  ooooo  eeeeeeee                              ffffffff ~
~ oooooooooooooooo  nnnnnn  nnnnnnn  pppppppp  bbbbbbb  bbbbbbbbbb                                       ~
~eeggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeddfffffffdddddddddddddddddddddddddbbbbbbbbbbdd~
~eEAEEEABBBALLAAAAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAed %%%%%%%%%%%%%%%%%%%%%%%%  eeelllllllllmmmm d~
~e  eee bbb lll        bbb                                ed %%%%%%%%%%%%%%%%%%%%%%%%                   d~
~e                                                        ed %%%%%%%%%%%%%%%%%%%%%%%%                   d~
~e                                                        ed %%%%%%%%%%%%%%%%%%%%%%%%                   d~
~e                                                        ed %%%%%%%%%%%%%%%%%%%%%%%%                   d~
~e                                                        ed %%%%%%%%%%%%%%%%%%%%%%%%  bbbbbbbbbbbbbbb  d~
~e                                                        ed %%%%%%%%%%%%%%%%%%%%%%%%  uuvvvvnnnnnnnnnn d~
~e                                                        edddddddddddddddddddddddddddddddddddddddddddddd~
~e                                                        eddffffffffffnndddddddddddddddbbbbbbbbbbbbbbbdd~
~e                                                        edAAEEELLLLBBBBBOOAAAAAAAAAAAAAAAAAAAAAAAAAAAAd~
~eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeed bbbbbbbbbbbbbbbbbbbbbbbb                   d~
~ddfffffffffnndddddddddddddddddddddddddddddddddddddddddddddd                                            d~
~dAANNAEEEALLLLAAAAAAABBBBBBBBBAAAAAAAAAAAAAAAAAAAAAAAAAAAdd                                            d~
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
~d                                                        dd                                            d~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd~
~                                                                                                        ~
~ g xxxxxxx  g xxxxxx  g xxxx  ggggg xxx  g xxxxxxxxxxxxxx  g xxx  g xxxx  g xxxxxx  g xxxx   TTTTTTTTTTT~
# a in review airs it
key 3 a
screen
| ✿ sakuga   ● ON AIR   sakuga_result  obs ✓ 4 ms  irc ✓  ▶ #2 41%  cpu 42% 96M  disk 212G      16:00:12 |
| SUBMISSIONS OPEN  held 2  ready 1  review 0  aired 0  rejected 0  a new one airs in 25 s               |
|╭─ 1 Held 2 ─────────────────────────────────────────────╮╭─ 4 Now ───────────────────────── animatic ─╮|
|│   #4 irc bo         12s cat pilot in a storm           ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  #2 mika_ch  default  │|
|│   #5 irc lin        12s train over the sea at dawn     ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  neon fox running     │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  over wet rooftops,   │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  city glow            │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  draw  seed 2222      │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  ━━━━──────  41% 0:08 │|
|│                                                        ││ ● on air #1 sol a dragon made of paper lan…│|
|│                                                        │╰────────────────────────────────────────────╯|
|│                                                        │╭─ 3 Review 0 ───────────────────────────────╮|
|│                                                        ││ no clip waits for a decision               │|
|╰────────────────────────────────────────────────────────╯│                                            │|
|╭─ 2 Ready 1 ────────────────────────────────────────────╮│                                            │|
|│   1  #3 世蓮            22 s 雨の駅、青い傘をさす少女  ││                                            │|
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
|│                                                        ││                                            │|
|╰────────────────────────────────────────────────────────╯╰────────────────────────────────────────────╯|
| ✓ cleared for air: #1  (z takes it back)                                                               |
| a Air  x Reject  r Reroll  e Edit  f Favourite  z Undo  : Command  ? Help                    F12 PANIC |
~ cccccccc  RRRRRRRRRR                 oooooooooo  ooooo  eeeeeeee                              ffffffff ~
~ oooooooooooooooo  nnnnnn  nnnnnnn  bbbbbbbb  bbbbbbb  bbbbbbbbbb                                       ~
~ddffffffffnnddddddddddddddddddddddddddddddddddddddddddddddddfffffffdddddddddddddddddddddddddbbbbbbbbbbdd~
~dAAEEEABBBALLAAAAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAdd %%%%%%%%%%%%%%%%%%%%  eeelllllllllmmmmmmm  d~
~d  eee bbb lll        bbb                                dd %%%%%%%%%%%%%%%%%%%%                       d~
~d                                                        dd %%%%%%%%%%%%%%%%%%%%                       d~
~d                                                        dd %%%%%%%%%%%%%%%%%%%%                       d~
~d                                                        dd %%%%%%%%%%%%%%%%%%%%  bbbbbbbbbbbbbbb      d~
~d                                                        dd %%%%%%%%%%%%%%%%%%%%  uuuuvvvvvvnnnnnnnnnn d~
~d                                                        dd qqqqqqqqqeeellll                           d~
~d                                                        ddddddddddddddddddddddddddddddddddddddddddddddd~
~d                                                        deeggggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~d                                                        de bbbbbbbbbbbbbbbbbbbbbbbbbbbb               e~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddde                                            e~
~ddfffffffffnnddddddddddddddddddddddddddddddddddddddddddddde                                            e~
~dAANNAEEEALLLLAAAAAAABBBBBBBBBAAAAAAAAAAAAAAAAAAAAAAAAAAAde                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddde                                            e~
~ddfffffffddddddddddddddddddddddddddddddddddddddddddddddddde                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~                                                                                                        ~
~ g xxx  g xxxxxx  g xxxxxx  g xxxx  g xxxxxxxxx  g xxxx  g xxxxxxx  g xxxx                   TTTTTTTTTTT~
on-air
screen
| ✿ sakuga   ● ON AIR   sakuga_result  obs ✓ 4 ms  irc ✓  ▶ #2 41%  cpu 42% 96M  disk 212G      16:00:12 |
| SUBMISSIONS OPEN  held 2  ready 1  review 0  aired 0  rejected 0  a new one airs in 25 s               |
|╭─ 1 Held 2 ─────────────────────────────────────────────╮╭─ 4 Now ───────────────────────── animatic ─╮|
|│   #4 irc bo         12s cat pilot in a storm           ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  #2 mika_ch  default  │|
|│   #5 irc lin        12s train over the sea at dawn     ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  neon fox running     │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  over wet rooftops,   │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  city glow            │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  draw  seed 2222      │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  ━━━━──────  41% 0:08 │|
|│                                                        ││ ● on air #1 sol a dragon made of paper lan…│|
|│                                                        │╰────────────────────────────────────────────╯|
|│                                                        │╭─ 3 Review 0 ───────────────────────────────╮|
|│                                                        ││ no clip waits for a decision               │|
|╰────────────────────────────────────────────────────────╯│                                            │|
|╭─ 2 Ready 1 ────────────────────────────────────────────╮│                                            │|
|│   1  #3 世蓮            22 s 雨の駅、青い傘をさす少女  ││                                            │|
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
|│                                                        ││                                            │|
|╰────────────────────────────────────────────────────────╯╰────────────────────────────────────────────╯|
| ✓ cleared for air: #1  (z takes it back)                                                               |
| a Air  x Reject  r Reroll  e Edit  f Favourite  z Undo  : Command  ? Help                    F12 PANIC |
~ cccccccc  RRRRRRRRRR                 oooooooooo  ooooo  eeeeeeee                              ffffffff ~
~ oooooooooooooooo  nnnnnn  nnnnnnn  bbbbbbbb  bbbbbbb  bbbbbbbbbb                                       ~
~ddffffffffnnddddddddddddddddddddddddddddddddddddddddddddddddfffffffdddddddddddddddddddddddddbbbbbbbbbbdd~
~dAAEEEABBBALLAAAAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAdd %%%%%%%%%%%%%%%%%%%%  eeelllllllllmmmmmmm  d~
~d  eee bbb lll        bbb                                dd %%%%%%%%%%%%%%%%%%%%                       d~
~d                                                        dd %%%%%%%%%%%%%%%%%%%%                       d~
~d                                                        dd %%%%%%%%%%%%%%%%%%%%                       d~
~d                                                        dd %%%%%%%%%%%%%%%%%%%%  bbbbbbbbbbbbbbb      d~
~d                                                        dd %%%%%%%%%%%%%%%%%%%%  uuuuvvvvvvnnnnnnnnnn d~
~d                                                        dd qqqqqqqqqeeellll                           d~
~d                                                        ddddddddddddddddddddddddddddddddddddddddddddddd~
~d                                                        deeggggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~d                                                        de bbbbbbbbbbbbbbbbbbbbbbbbbbbb               e~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddde                                            e~
~ddfffffffffnnddddddddddddddddddddddddddddddddddddddddddddde                                            e~
~dAANNAEEEALLLLAAAAAAABBBBBBBBBAAAAAAAAAAAAAAAAAAAAAAAAAAAde                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddde                                            e~
~ddfffffffddddddddddddddddddddddddddddddddddddddddddddddddde                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~                                                                                                        ~
~ g xxx  g xxxxxx  g xxxxxx  g xxxx  g xxxxxxxxx  g xxxx  g xxxxxxx  g xxxx                   TTTTTTTTTTT~
off-air
screen
| ✿ sakuga   ○ RESULT   sakuga_result  obs ✓ 4 ms  irc ✓  ▶ #2 41%  cpu 42% 96M  disk 212G      16:00:12 |
| SUBMISSIONS OPEN  held 2  ready 1  review 0  aired 1  rejected 0  a new one airs in 25 s               |
|╭─ 1 Held 2 ─────────────────────────────────────────────╮╭─ 4 Now ───────────────────────── animatic ─╮|
|│   #4 irc bo         12s cat pilot in a storm           ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  #2 mika_ch  def… │|
|│   #5 irc lin        12s train over the sea at dawn     ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  neon fox running │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  over wet         │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  rooftops, city   │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  glow             │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  draw  seed 2222  │|
|│                                                        ││ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀  ━━────  41% 0:08 │|
|│                                                        │╰────────────────────────────────────────────╯|
|│                                                        │╭─ 3 Review 0 ───────────────────────────────╮|
|│                                                        ││ no clip waits for a decision               │|
|╰────────────────────────────────────────────────────────╯│                                            │|
|╭─ 2 Ready 1 ────────────────────────────────────────────╮│                                            │|
|│   1  #3 世蓮            22 s 雨の駅、青い傘をさす少女  ││                                            │|
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
|│                                                        ││                                            │|
|╰────────────────────────────────────────────────────────╯╰────────────────────────────────────────────╯|
| ✓ cleared for air: #1  (z takes it back)                                                               |
| a Air  x Reject  r Reroll  e Edit  f Favourite  z Undo  : Command  ? Help                    F12 PANIC |
~ cccccccc  SSSSSSSSSS                 oooooooooo  ooooo  eeeeeeee                              ffffffff ~
~ oooooooooooooooo  nnnnnn  nnnnnnn  bbbbbbbb  nnnnnnn  bbbbbbbbbb                                       ~
~ddffffffffnnddddddddddddddddddddddddddddddddddddddddddddddddfffffffdddddddddddddddddddddddddbbbbbbbbbbdd~
~dAAEEEABBBALLAAAAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAdd %%%%%%%%%%%%%%%%%%%%%%%%  eeelllllllllmmmm d~
~d  eee bbb lll        bbb                                dd %%%%%%%%%%%%%%%%%%%%%%%%                   d~
~d                                                        dd %%%%%%%%%%%%%%%%%%%%%%%%                   d~
~d                                                        dd %%%%%%%%%%%%%%%%%%%%%%%%                   d~
~d                                                        dd %%%%%%%%%%%%%%%%%%%%%%%%                   d~
~d                                                        dd %%%%%%%%%%%%%%%%%%%%%%%%  bbbbbbbbbbbbbbb  d~
~d                                                        dd %%%%%%%%%%%%%%%%%%%%%%%%  uuvvvvnnnnnnnnnn d~
~d                                                        ddddddddddddddddddddddddddddddddddddddddddddddd~
~d                                                        deeggggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~d                                                        de bbbbbbbbbbbbbbbbbbbbbbbbbbbb               e~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddde                                            e~
~ddfffffffffnnddddddddddddddddddddddddddddddddddddddddddddde                                            e~
~dAANNAEEEALLLLAAAAAAABBBBBBBBBAAAAAAAAAAAAAAAAAAAAAAAAAAAde                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~dddddddddddddddddddddddddddddddddddddddddddddddddddddddddde                                            e~
~ddfffffffddddddddddddddddddddddddddddddddddddddddddddddddde                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~d                                                        de                                            e~
~ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee~
~                                                                                                        ~
~ g xxx  g xxxxxx  g xxxxxx  g xxxx  g xxxxxxxxx  g xxxx  g xxxxxxx  g xxxx                   TTTTTTTTTTT~
