# SAKUGA_CUDA: --with-cuda[=DIR|auto|no], --with-cuda-arch=LIST, --with-cudnn=DIR.
# Sets NVCC CUDA_CPPFLAGS CUDA_LIBS CUDA_GENCODE and the conditional HAVE_CUDA. The toolkit is looked for in DIR,
# CUDA_HOME, CUDA_PATH, /usr/local/cuda, /opt/cuda and behind nvcc in PATH; the libraries there, and in the nvidia/
# folders of Python's site-packages, where wheels put them (without the plain .so names, hence whole file names below).
AC_DEFUN([SAKUGA_CUDA], [
AC_ARG_WITH([cuda], [AS_HELP_STRING([--with-cuda@<:@=DIR@:>@],
    [build the CUDA module (default: where nvcc, cuBLASLt and cuDNN are found)])], [], [with_cuda=auto])
AC_ARG_WITH([cuda-arch], [AS_HELP_STRING([--with-cuda-arch=LIST],
    [GPU architectures, default "80 86 89 90a 100 120"])], [], [with_cuda_arch="80 86 89 90a 100 120"])
AC_ARG_WITH([cudnn], [AS_HELP_STRING([--with-cudnn=DIR], [cuDNN lies in DIR/include and DIR/lib])], [], [with_cudnn=])
AC_ARG_VAR([NVCC], [the CUDA compiler])
have_cuda=no
cuda_why="--without-cuda"
AS_IF([test "x$with_cuda" != xno], [
    cuda_dir=
    AS_CASE([$with_cuda], [/*], [cuda_dir=$with_cuda],
        [for d in "$CUDA_HOME" "$CUDA_PATH" /usr/local/cuda /opt/cuda; do
             AS_IF([test -z "$cuda_dir" && test -n "$d" && test -x "$d/bin/nvcc"], [cuda_dir=$d])
         done
         found=`command -v nvcc 2>/dev/null`
         AS_IF([test -z "$cuda_dir" && test -n "$found"],
             [cuda_dir=`dirname "$(dirname "$(readlink -f "$found")")"`])])
    AS_IF([test -z "$NVCC"], [NVCC=$cuda_dir/bin/nvcc])
    site=`python3 -c 'import nvidia; print(" ".join(nvidia.__path__))' 2>/dev/null`
    cuda_roots="$with_cudnn $cuda_dir"
    for d in $site; do
        for e in "$d"/*; do AS_IF([test -d "$e/lib"], [cuda_roots="$cuda_roots $e"]) done
    done
    CUDA_CPPFLAGS= CUDA_LIBS= cuda_missing=
    AS_IF([test ! -x "$NVCC"], [cuda_missing=nvcc])
    for h in cuda_runtime.h cublasLt.h cudnn.h; do
        found=
        for d in $cuda_roots; do AS_IF([test -z "$found" && test -f "$d/include/$h"], [found=$d/include]) done
        AS_IF([test -z "$found"], [cuda_missing="$cuda_missing $h"])
        AS_CASE([" $CUDA_CPPFLAGS "], [*" $found "*], [], [CUDA_CPPFLAGS="$CUDA_CPPFLAGS -isystem $found"])
    done
    for l in cudart cublasLt cudnn; do
        found=
        for d in $cuda_roots; do
            for f in "$d"/lib64/lib$l.so "$d"/lib/lib$l.so "$d"/lib64/lib$l.so.* "$d"/lib/lib$l.so.*; do
                AS_IF([test -z "$found" && test -f "$f"], [found=$f])
            done
        done
        AS_IF([test -z "$found"], [cuda_missing="$cuda_missing lib$l"],
            [CUDA_LIBS="$CUDA_LIBS $found -Wl,-rpath,`dirname "$found"`"])
    done
    dnl cuDNN opens NVRTC by name: linked, it is there already, wherever it lies
    for d in $cuda_roots; do
        for f in "$d"/lib64/libnvrtc.so "$d"/lib/libnvrtc.so "$d"/lib64/libnvrtc.so.* "$d"/lib/libnvrtc.so.*; do
            AS_CASE([$CUDA_LIBS], [*libnvrtc*], [], [AS_IF([test -f "$f"],
                [CUDA_LIBS="$CUDA_LIBS -Wl,--push-state,--no-as-needed $f -Wl,--pop-state -Wl,-rpath,`dirname "$f"`"])])
        done
    done
    AS_IF([test -n "$cuda_missing"], [cuda_why="not found: $cuda_missing"], [
        save_CPPFLAGS=$CPPFLAGS save_LIBS=$LIBS
        CPPFLAGS="$CPPFLAGS $CUDA_CPPFLAGS" LIBS="$CUDA_LIBS $LIBS"
        AC_MSG_CHECKING([for cuDNN 9.15 or later])
        AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <cudnn.h>
#if CUDNN_VERSION < 91500
#error too old
#endif
]], [[]])], [AC_MSG_RESULT([yes])
             AC_MSG_CHECKING([whether CUDA 12.9 or later, cuBLASLt and cuDNN link])
             AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <cuda_runtime.h>
#include <cublasLt.h>
#include <cudnn.h>
#if CUDART_VERSION < 12090
#error too old
#endif
]], [[int n; cublasLtHandle_t h; return cudaGetDeviceCount(&n) + (int)cudnnGetVersion() + (int)cublasLtCreate(&h);]])],
                 [AC_MSG_RESULT([yes])
                  have_cuda=yes],
                 [AC_MSG_RESULT([no])
                  cuda_why="CUDA is older than 12.9, or does not link; see config.log"])],
            [AC_MSG_RESULT([no])
             cuda_why="cuDNN is older than 9.15, which computes convolutions of large bf16 inputs wrongly"])
        CPPFLAGS=$save_CPPFLAGS LIBS=$save_LIBS])
    AS_IF([test $have_cuda = yes], [
        AC_MSG_CHECKING([which GPU architectures nvcc compiles])
        echo '__global__ void k(int *p) { *p = 1; }' >conftest.cu
        CUDA_GENCODE= cuda_ok= last=
        for a in $with_cuda_arch; do
            AS_IF(["$NVCC" -gencode "arch=compute_$a,code=sm_$a" -c conftest.cu -o conftest.o >&AS_MESSAGE_LOG_FD 2>&1],
                [CUDA_GENCODE="$CUDA_GENCODE -gencode arch=compute_$a,code=sm_$a" cuda_ok="$cuda_ok $a" last=$a])
        done
        rm -f conftest.cu conftest.o
        AC_MSG_RESULT([$cuda_ok])
        AS_IF([test -z "$cuda_ok"], [have_cuda=no cuda_why="nvcc compiles none of $with_cuda_arch"],
            [AS_CASE([$last], [*a], [], # for the GPUs to come
                [CUDA_GENCODE="$CUDA_GENCODE -gencode arch=compute_$last,code=compute_$last"])
             AS_CASE([$CC], [*ccache*], [NVCC="ccache $NVCC"])
             cuda_why="$cuda_dir, sm$cuda_ok"])])
    AS_IF([test $have_cuda = no && test "x$with_cuda" != xauto],
        [AC_MSG_ERROR([--with-cuda: $cuda_why])])])
dnl The kernels are emulated on the CPU for the tests.
AC_CHECK_PROGS([EMU_CXX], [g++ c++])
AS_CASE([$CC], [*ccache*], [EMU_CXX="ccache $EMU_CXX"])
AC_SUBST([CUDA_DIR], [$cuda_dir])
AM_CONDITIONAL([CUDA_EMULATED], [test $have_cuda = yes && test -n "$EMU_CXX" && test "x${enable_sanitize:-no}" = xno])
AC_SUBST([CUDA_CPPFLAGS])
AC_SUBST([CUDA_LIBS])
AC_SUBST([CUDA_GENCODE])
AM_CONDITIONAL([HAVE_CUDA], [test $have_cuda = yes])
])
