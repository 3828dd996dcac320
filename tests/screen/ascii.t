# ASCII lines and lamps.
size 80 24
look ascii
say mika_ch neon fox running over wet rooftops, city glow
say bo cat pilot in a storm
key Space
screen
| * sakuga   o STANDBY   irc +  animatic +  cpu 42% 96M  disk 212G      16:00:00 |
| SUBMISSIONS OPEN  held 2  ready 0  review 0  aired 0  ETA unknown yet          |
|+- 1 Held 2 -------------------------------------------------------- 1 tagged -+|
|| * #1 irc mika_ch       0s neon fox running over wet rooftops, city glow      ||
||>  #2 irc bo            0s cat pilot in a storm                               ||
||                                                                              ||
||                                                                              ||
||                                                                              ||
||                                                                              ||
||                                                                              ||
|+------------------------------------------------------------------------------+|
|+- 2 Ready 0 ------------------------------------------------------------------+|
||  nothing is approved yet                                                     ||
||                                                                              ||
||                                                                              ||
||                                                                              ||
|+------------------------------------------------------------------------------+|
|+- 5 Log ----------------------------------------------------------------------+|
||                                                                              ||
||                                                                              ||
||                                                                              ||
|+------------------------------------------------------------------------------+|
|                                                                                |
| a Approve  x Reject  e Edit  Space Tag  A Approve tagged  ? Help     F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  oooooooooo                              ffffffff ~
~ oooooooooooooooo  nnnnnn  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb          ~
~eeggggggggnneeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeebbbbbbbbbbee~
~e jeee bbb lllllll      bbb                                                    e~
~eEAEEEABBBALLAAAAAAAAAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAe~
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
key a
engine draw 57 encode 12000
picture preview
key 4
screen
| * sakuga   o STANDBY   irc +  > #2 57%  cpu 42% 96M  disk 212G        16:00:00 |
| SUBMISSIONS OPEN  held 1  ready 0  review 0  aired 0  ETA unknown yet          |
|+- 4 Now ----------------------------------------------------------- animatic -+|
||                       #2 bo  default                                         ||
||                       cat pilot in a storm                                   ||
||                                                                              ||
||                                                                              ||
||                       encode  seed 2222                                      ||
||                       #########################...................  57% 0:12 ||
|+------------------------------------------------------------------------------+|
|+- 3 Review 0 -----------------------------------------------------------------+|
|| no clip waits for a decision                                                 ||
||                                                                              ||
||                                                                              ||
||                                                                              ||
||                                                                              ||
|+------------------------------------------------------------------------------+|
|+- 5 Log ----------------------------------------------------------------------+|
||                                                                              ||
||                                                                              ||
||                                                                              ||
|+------------------------------------------------------------------------------+|
| + approved #2  (z takes it back)                                               |
| c Cancel  p Pause  o Close  z Undo  : Command  ? Help                F12 PANIC |
~ cccccccc  SSSSSSSSSSS  ooooo  eeeeeeee                                ffffffff ~
~ oooooooooooooooo  nnnnnn  bbbbbbb  bbbbbbbb  bbbbbbb  bbbbbbbbbbbbbbb          ~
~eegggggggeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeebbbbbbbbbbee~
~e AAAAAAAAAAAAAAAAAAAA  eeellllmmmmmmm                                         e~
~e AAAAAAAAAAAAAAAAAAAA                                                         e~
~e AAAAAAAAAAAAAAAAAAAA                                                         e~
~e AAAAAAAAAAAAAAAAAAAA                                                         e~
~e AAAAAAAAAAAAAAAAAAAA  bbbbbbbbbbbbbbbbb                                      e~
~e AAAAAAAAAAAAAAAAAAAA  uuuuuuuuuuuuuuuuuuuuuuuuuvvvvvvvvvvvvvvvvvvvnnnnnnnnnn e~
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
