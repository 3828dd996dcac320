#include "show/style.h"

#include "base/near.h"

#include <string.h>
#include <strings.h>

static bool good_name(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    return n > 0 && !s[n];
}

enum err style_add(struct styles *s, const struct style *style, struct fault *f)
{
    if (!good_name(style->name))
        return fault_set(f, ERR_INVAL,
                         "a style's name must be lower-case letters, digits, - or _, not \"%s\"",
                         style->name);
    if (style->width < 0 || style->width > 4096 || style->height < 0 || style->height > 4096 ||
        style->width % 16 || style->height % 16)
        return fault_set(f, ERR_INVAL,
                         "style %s: a size of %dx%d is not possible; use multiples of 16",
                         style->name, style->width, style->height);
    if (style->steps < 0 || style->steps > 200)
        return fault_set(f, ERR_INVAL, "style %s: %d steps are not possible; use 1 to 200",
                         style->name, style->steps);
    if (style->template_[0] && !strstr(style->template_, "{prompt}"))
        return fault_set(f, ERR_INVAL, "style %s: the template does not say where {prompt} stands",
                         style->name);
    for (int i = 0; i < s->count; i++)
        if (!strcmp(s->all[i].name, style->name)) {
            s->all[i] = *style;
            return ERR_OK;
        }
    if (s->count == STYLES_MAX)
        return fault_set(f, ERR_LIMIT, "style %s: there are %d styles already", style->name,
                         STYLES_MAX);
    s->all[s->count++] = *style;
    return ERR_OK;
}

const struct style *style_find(const struct styles *s, const char *name)
{
    static const struct style none = {.name = "default", .about = "as the engine likes it"};
    if (!name[0] || !strcmp(name, "default"))
        return &none;
    for (int i = 0; i < s->count; i++)
        if (!strcasecmp(s->all[i].name, name))
            return &s->all[i];
    return NULL;
}

const char *style_nearest(const struct styles *s, const char *name)
{
    const char *best = NULL;
    int least = 4;
    for (int i = 0; i < s->count; i++) {
        int d = near_edits(name, s->all[i].name);
        if (d < least) {
            least = d;
            best = s->all[i].name;
        }
    }
    return best;
}
