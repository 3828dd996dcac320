/* Recordings: CUDA graphs of what the stream of the work is given (struct track of
 * tensor/device.h).
 *
 * Only calls of this thread are kept from what a capture does not allow, so that another may load
 * or encode meanwhile. Whatever is chosen by measuring, made by a library, or taken from the system
 * was so when the same work was done before: a product or plan that is new here says
 * tape_unready(). Memory comes from the tape, so that no graph has memory of its own. A graph runs
 * at the priority of the stream that it is given to, so it gives way as all work here does. */
#include "tensor/cuda/cuda.h"

#include <string.h>

/* What the device has in `counts` is not known: the work itself must say it. */
static void uncounted(struct cuda *c)
{
    memset(c->counted, 0, sizeof c->counted);
}

bool record_begin(struct device *d)
{
    struct cuda *c = cuda_of(d);
    uncounted(c);
    return cuda_ok(c, cudaStreamBeginCapture(c->stream, cudaStreamCaptureModeThreadLocal),
                   "cudaStreamBeginCapture", 1, 1, 1);
}

void *record_end(struct device *d)
{
    struct cuda *c = cuda_of(d);
    cudaGraph_t graph = NULL;
    cudaGraphExec_t made = NULL;
    const char *call = "cudaStreamEndCapture";
    cudaError_t e = cudaStreamEndCapture(c->stream, &graph);
    if (!e && !device_failed(d)) {
        call = "cudaGraphInstantiate";
        e = cudaGraphInstantiate(&made, graph, 0);
    }
    if (graph)
        cudaGraphDestroy(graph);
    uncounted(c);
    return cuda_ok(c, e, call, 1, 1, 1) ? made : NULL;
}

void record_play(struct device *d, void *recording)
{
    struct cuda *c = cuda_of(d);
    cuda_ok(c, cudaGraphLaunch(recording, c->stream), "cudaGraphLaunch", 1, 1, 1);
    uncounted(c);
}

void record_forget(struct device *d, void *recording)
{
    (void)d;
    cudaGraphExecDestroy(recording); /* one that still runs ends first */
}
