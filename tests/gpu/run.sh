#!/usr/bin/env bash
# Builds MoeOffload for the GPU of this machine, creates synthetic models, and measures them. README.md describes how to use it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# The default models and quantizations, with the most informative ones for their size first.
all_models="gpt-oss-20b:MXFP4 phi-3.5-moe:Q2_K deepseek-moe-16b:Q2_K deepseek-moe-16b:Q4_K_M deepseek-moe-16b:Q8_0
    phi-3.5-moe:Q4_K_M deepseek-moe-16b:F16 phi-3.5-moe:Q8_0 phi-3.5-moe:F16"

cuda=1
out=${OUT:-$here/out}
models_dir=${MODELS_DIR:-$here/models}
models=
layers=()
budget=
delete=
benches=
evidence_options=()

usage() {
    cat <<HELP
usage: tests/gpu/run.sh [OPTIONS] [STEP...] [-- OPTIONS OF moe evidence make]

steps, by default all of them; each step reuses the results of earlier ones:
  build      build llama.cpp, its CUDA backend for the GPU of this machine, and the shim
  models     create synthetic models, as long as there is enough disk space and memory
  evidence   create an evidence folder for each model, in OUT

options:
  --cpu              measure without CUDA: on the CPU, with ggml-rpc-server as the second device
  --models 'A:TYPE B:TYPE'  the models, with the names of moe model synth; "demo" is the small real model
  --layers N         use only the first N layers of each model
  --models-dir DIR   the directory of the models, by default $models_dir (or MODELS_DIR)
  --benches 'A,B'    the benchmarks: some of memory,streaming,quality,sweep; they get their own folder
  --out DIR          the directory for the evidence, by default $out (or OUT)
  --budget SECONDS   stop measuring after this time; the model that is being measured then is aborted
  --delete           delete each synthetic model after it was measured, to make room for the next one
HELP
}

fail() {
    echo "error: $*" >&2
    exit 1
}

# need PROGRAM WHAT APT DNF: if PROGRAM is missing, prints the command that installs it, and exits.
need() {
    command -v "$1" >/dev/null && return
    echo "$2 is missing. Install it:" >&2
    if command -v dnf >/dev/null; then echo "  sudo dnf install $4" >&2; else echo "  sudo apt-get install $3" >&2; fi
    exit 1
}

steps=()
while [ $# -gt 0 ]; do
    case $1 in
        build | models | evidence) steps+=("$1") ;;
        --cpu) cuda= ;;
        --delete) delete=1 ;;
        --models | --layers | --models-dir | --benches | --out | --budget)
            [ $# -gt 1 ] || fail "$1 requires a value; see --help"
            case $1 in
                --models) models=$2 ;;
                --layers) layers=(--layers "$2") ;;
                --models-dir) models_dir=$2 ;;
                --benches) benches=$2 ;;
                --out) out=$2 ;;
                --budget) budget=$2 ;;
            esac
            shift ;;
        --) shift; evidence_options=("$@"); break ;;
        -h | --help) usage; exit ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
[ ${#steps[@]} -gt 0 ] || steps=(build models evidence)
[[ $budget =~ ^[0-9]*$ ]] || fail "--budget is '$budget', but must be a number of whole seconds"

export MOE_CACHE_DIR=$here/cache # nothing is written outside
native=$here/artifacts/native/linux-x64
moe=$here/moe/moe

left() { # seconds
    if [ -n "$budget" ]; then echo $((budget - SECONDS)); else echo 1000000000; fi
}

check_host() {
    [ "$(uname -sm)" = "Linux x86_64" ] || fail "this bundle requires Linux on x86-64, but this machine is $(uname -sm)"
    need cmake "CMake (3.21 or newer)" cmake cmake
    need g++ "A C++ compiler" g++ gcc-c++
    need ninja "Ninja" ninja-build ninja-build
    if [ -n "$cuda" ]; then
        need nvidia-smi "NVIDIA's driver" nvidia-driver nvidia-driver
        nvidia-smi --query-gpu=name,compute_cap,memory.total,driver_version --format=csv,noheader \
            || fail "the driver finds no GPU. To measure without CUDA, use --cpu."
        # The libraries of the toolkit might not be in the search path of the loader.
        local nvcc
        nvcc=$(PATH=$PATH:${CUDA_PATH:-${CUDA_HOME:-/usr/local/cuda}}/bin:/usr/local/cuda/bin:/opt/cuda/bin command -v nvcc) \
            || need nvcc "NVIDIA's CUDA toolkit (nvcc, 11.8 or newer)" nvidia-cuda-toolkit cuda-toolkit
        nvcc=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
        export LD_LIBRARY_PATH=$nvcc/lib64:$nvcc/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    fi
}

build() {
    local options=(-DMOE_PEERS=ON -DMOE_PEER_TOOLS=llama-bench -DLLAMA_CPP_SOURCE_DIR="$here/llama.cpp")
    if [ -n "$cuda" ]; then
        # Building only for this GPU, and without the attention kernels for mixed KV cache types, takes minutes instead of half an hour.
        options+=(-DMOE_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=native -DGGML_CUDA_FA_ALL_QUANTS=OFF)
    fi
    cmake -P "$here/native/cmake/build.cmake" -- "${options[@]}"
    "$moe" gpu-info --native-dir "$native"
}

# file_of SHAPE:TYPE
file_of() {
    local name=${1/:/-}
    case $1 in
        demo) echo "$here/samples/TinyMoe/tiny-moe.gguf" ;;
        *) echo "$models_dir/${name,,}${layers[1]:+-${layers[1]}-layers}-synthetic.gguf" ;;
    esac
}

# synthesize SHAPE:TYPE: creates a model; fails if there is not enough space.
synthesize() {
    local file synth bytes memory
    file=$(file_of "$1")
    [ ! -f "$file" ] || return 0
    [[ $1 == *:* ]] || fail "'$1' is not a valid model. Use SHAPE:TYPE, such as gpt-oss-20b:MXFP4, or demo"
    mkdir -p "$models_dir"
    synth=(model synth "${1%%:*}" --type "${1##*:}" ${layers+"${layers[@]}"} -o "$file")
    bytes=$("$moe" "${synth[@]}" --plan --json | awk '/"bytes"/ { sub(/,/, "", $2); print $2; exit }')
    memory=$(($(awk '/^MemTotal/ { print $2 }' /proc/meminfo) * 1024))
    if [ "$bytes" -gt $((memory * 9 / 10)) ]; then
        echo "$1 needs $bytes bytes, but the machine has only $memory bytes of memory; skipped" >&2
        return 1
    fi
    if [ "$bytes" -gt $(($(df --output=avail -B1 "$models_dir" | tail -n 1) - 2000000000)) ]; then
        echo "$1 needs $bytes bytes, but $models_dir does not have enough space; skipped" >&2
        return 1
    fi
    "$moe" "${synth[@]}"
}

make_models() {
    local model
    for model in $models; do
        synthesize "$model" || true
    done
}

evidence() {
    local model file folder
    mkdir -p "$out"
    for model in $models; do
        if [ "$(left)" -lt 60 ]; then
            echo "$model: skipped, because the time of --budget is over" >&2
            continue
        fi
        synthesize "$model" || continue
        file=$(file_of "$model")
        folder=$out/$(basename "$file" .gguf)${benches:+-${benches//,/-}}
        if [ -f "$folder/SHA256SUMS" ]; then
            echo "$model: skipped, because $folder already exists"
        else
            measure "$file" "$folder" || echo "$model: failed; the reason is above" >&2
        fi
        if [ -n "$delete" ] && [ "$model" != demo ]; then
            rm -f "$file"
        fi
    done
}

measure() {
    local options=(--native-dir "$native" --sweep-peer "$native/tools/llama-bench")
    [ -z "$benches" ] || options+=(--benches "$benches")
    [ -n "$cuda" ] || options+=(--rpc-loopback)
    rm -rf "$2"
    timeout --signal=TERM --kill-after=30 "$(left)" \
        "$moe" evidence make "$1" -o "$2" "${options[@]}" ${evidence_options+"${evidence_options[@]}"} || return
    # Pack the folder into one file, which is easier to copy.
    tar -czf "$2.tar.gz" -C "$out" "$(basename "$2")"
}

check_host
models=${models:-$all_models}
for step in "${steps[@]}"; do
    case $step in
        build) build ;;
        models | evidence)
            [ -d "$native" ] || fail "nothing has been built yet; run $0 build"
            if [ "$step" = models ]; then make_models; else evidence; fi ;;
    esac
done
