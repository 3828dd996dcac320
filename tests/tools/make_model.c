/* make_model KIND FROM TO: a tiny checkpoint of another kind of model, for tests; make_model
 * decoder TO: a tiny decoder. */
#include "unit/wan/graft.h"

int main(int argc, char **argv)
{
    if (argc == 4 && graft(argv[2], argv[3], argv[1]))
        return 0;
    if (argc == 3 && !strcmp(argv[1], "decoder") && graft_decoder(argv[2]))
        return 0;
    fprintf(stderr, "usage: make_model flf2v|control|control-ref|camera FROM TO, or decoder TO\n");
    return 1;
}
