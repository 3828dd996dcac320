#include "media/motif.h"

#include <glib.h>
#include <string.h>

static const struct motif *const motifs[] = {
    &motif_stars, &motif_moon,   &motif_sun,   &motif_clouds, &motif_mountains,
    &motif_city,  &motif_sea,    &motif_hills, &motif_train,  &motif_petals,
    &motif_snow,  &motif_lights, &motif_rain,  &motif_speed,
};
#define MOTIFS (int)(sizeof motifs / sizeof *motifs)

static const char *const mood_words[SCENE_MOODS] = {
    [SCENE_NIGHT] = "night midnight dark moon star stars starry galaxy neon cyber cyberpunk noir "
                    "dream ghost firefly fireflies lantern lanterns space aurora 夜 星 月 宇宙 "
                    "銀河 闇 幽霊 蛍 花火 밤 별",
    [SCENE_DUSK] = "sunset sunrise dusk dawn evening twilight autumn fall golden samurai desert "
                   "fire dragon battle final goodbye farewell 夕 朝焼 黄昏 秋 暁 侍 竜 龍 戦 노을",
    [SCENE_DAY] =
        "day morning noon summer spring sunny sky school picnic garden field meadow beach "
        "forest cat rabbit 朝 昼 春 夏 空 晴 学校 猫 庭 森 花 아침",
};

/* Does `word` stand in `text` (both lower case)? Latin words must stand alone or be a plural; the
 * others may stand anywhere, since their scripts put no blanks between words. */
static bool has_word(const char *text, const char *word, size_t n)
{
    bool latin = (unsigned char)word[0] < 0x80;
    for (const char *at = text; (at = g_strstr_len(at, -1, word)) != NULL; at++) {
        if (!latin)
            return true;
        char before = at > text ? at[-1] : ' ';
        const char *end = at + n + (at[n] == 's');
        if (!g_ascii_isalpha(before) && !g_ascii_isalpha(*end))
            return true;
    }
    return false;
}

/* Words of the list that the text holds. */
static int count_words(const char *text, const char *list)
{
    int hits = 0;
    char **words = g_strsplit(list, " ", -1);
    for (int i = 0; words[i]; i++)
        hits += words[i][0] && has_word(text, words[i], strlen(words[i]));
    g_strfreev(words);
    return hits;
}

static const struct motif *by_chance(enum motif_slot slot, struct rng *r)
{
    int all = 0;
    for (int i = 0; i < MOTIFS; i++)
        all += motifs[i]->slot == slot ? motifs[i]->weight : 0;
    int at = rng_int(r, all);
    for (int i = 0; i < MOTIFS; i++)
        if (motifs[i]->slot == slot && (at -= motifs[i]->weight) < 0)
            return motifs[i];
    return NULL;
}

void motif_choose(const char *prompt, struct rng *r, const struct motif *out[MOTIF_SLOTS])
{
    char *text = g_utf8_strdown(prompt, -1);
    for (int slot = 0; slot < MOTIF_SLOTS; slot++) {
        int best = 0;
        out[slot] = by_chance((enum motif_slot)slot, r);
        for (int i = 0; i < MOTIFS; i++) {
            int hits =
                motifs[i]->slot == (enum motif_slot)slot ? count_words(text, motifs[i]->words) : 0;
            if (hits > best) {
                best = hits;
                out[slot] = motifs[i];
            }
        }
    }
    g_free(text);
}

enum scene_mood motif_mood(const char *prompt, struct rng *r)
{
    char *text = g_utf8_strdown(prompt, -1);
    int best = 0;
    enum scene_mood mood = (enum scene_mood)rng_int(r, SCENE_MOODS);
    for (int i = 0; i < SCENE_MOODS; i++) {
        int hits = count_words(text, mood_words[i]);
        if (hits > best) {
            best = hits;
            mood = (enum scene_mood)i;
        }
    }
    g_free(text);
    return mood;
}
