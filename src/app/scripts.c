/* Which scripts the show loads: those that show.lua names, from the config folder or the installed
 * ones. `--safe` loads none; the built-in commands answer then. */
#include "app/house.h"

#include "base/log.h"

/* Patience for the first load; it goes on beside the show when it takes longer. */
#define LOAD_MS 1000

enum err scripts_start(struct house *h, struct values *values, struct fault *f)
{
    const char *names[CONFIG_SCRIPTS_MAX], *dirs[] = {h->paths.config, h->paths.lua};
    char prelude[PATH_LEN];
    if (h->safe) {
        values_free(values);
        str_copy(h->show.script_why, sizeof h->show.script_why, "no scripts are loaded: --safe");
        log_info("script", "%s", h->show.script_why);
        return ERR_OK;
    }
    for (int i = 0; i < h->config.script_count; i++)
        names[i] = h->config.scripts[i];
    if (path_join(prelude, sizeof prelude, h->paths.lua, "prelude.lua")) {
        values_free(values);
        return fault_set(f, ERR_LIMIT, "the path %s is too long", h->paths.lua);
    }
    struct script_config c = {.prelude = prelude,
                              .names = names,
                              .name_count = h->config.script_count,
                              .dirs = dirs,
                              .dir_count = 2};
    h->script = script_new(h->loop, h->commands, &c, values, f);
    if (!h->script)
        return f->code;
    script_settle(h->script, LOAD_MS); /* so that no job is drawn before its style is known */
    return ERR_OK;
}
