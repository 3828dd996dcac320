#include "wan/spiece.h"

#include <sentencepiece_processor.h>

#include <cstdio>
#include <cstdlib>
#include <climits>
#include <exception>
#include <new>
#include <string>
#include <vector>

struct spiece {
    sentencepiece::SentencePieceProcessor processor;
};

static void tell(char *why, size_t n, const char *words)
{
    snprintf(why, n, "%s", words);
}

extern "C" struct spiece *spiece_new(const void *model, size_t n, char *why, size_t why_n)
{
    struct spiece *s = nullptr;
    try {
        s = new struct spiece;
        const auto status = s->processor.LoadFromSerializedProto(
            absl::string_view(static_cast<const char *>(model), n));
        if (status.ok())
            return s;
        tell(why, why_n, status.error_message());
    } catch (const std::bad_alloc &) {
        tell(why, why_n, "");
    } catch (const std::exception &e) {
        tell(why, why_n, e.what());
    } catch (...) {
        tell(why, why_n, "an exception of an unknown kind");
    }
    delete s;
    return nullptr;
}

extern "C" void spiece_free(struct spiece *s)
{
    delete s;
}

extern "C" int spiece_encode(const struct spiece *s, const char *text, size_t n, int32_t **ids,
                             char *why, size_t why_n)
{
    *ids = nullptr;
    try {
        std::vector<int> made;
        const auto status = s->processor.Encode(absl::string_view(text, n), &made);
        if (!status.ok()) {
            tell(why, why_n, status.error_message());
            return -1;
        }
        auto *out = made.size() > INT_MAX ? nullptr
                                          : static_cast<int32_t *>(
                                                malloc((made.size() + 1) * sizeof **ids));
        if (!out)
            throw std::bad_alloc();
        for (size_t i = 0; i < made.size(); i++)
            out[i] = made[i];
        *ids = out;
        return static_cast<int>(made.size());
    } catch (const std::bad_alloc &) {
        tell(why, why_n, "");
    } catch (const std::exception &e) {
        tell(why, why_n, e.what());
    } catch (...) {
        tell(why, why_n, "an exception of an unknown kind");
    }
    return -1;
}
