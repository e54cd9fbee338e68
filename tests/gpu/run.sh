#!/usr/bin/env bash
# Builds MoeOffload for this host's GPU, makes synthetic models, and measures them. README.md beside it says how.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# The seed's models at the seed's quantizations, in the order of what they tell for their size.
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

steps, all of them unless named; each keeps what earlier ones made:
  build      llama.cpp, its CUDA backend for this host's GPU, and the shim
  models     synthetic models, as many as the disk and the memory have room for
  evidence   an evidence folder for each model, in OUT

options:
  --cpu              without CUDA: the CPU, and ggml-rpc-server as the second device
  --models 'A:TYPE B:TYPE'  which models, as moe model synth names them; "demo" is the small real one
  --layers N         only their first N layers
  --models-dir DIR   where they are, by default $models_dir (or MODELS_DIR)
  --benches 'A,B'    what is measured: some of memory,streaming,quality,sweep, into a folder of their own
  --out DIR          where evidence goes, by default $out (or OUT)
  --budget SECONDS   begin no model for which so much time is not left; a model that takes longer is ended
  --delete           delete each synthetic model once it is measured, so that the next has room
HELP
}

fail() {
    echo "error: $*" >&2
    exit 1
}

# need PROGRAM WHAT APT DNF: ends with the line that installs it.
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
            [ $# -gt 1 ] || fail "$1 takes a value; see --help"
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
[[ $budget =~ ^[0-9]*$ ]] || fail "--budget is '$budget', and must be whole seconds"

export MOE_CACHE_DIR=$here/cache # nothing is written outside
native=$here/artifacts/native/linux-x64
moe=$here/moe/moe

left() { # seconds
    if [ -n "$budget" ]; then echo $((budget - SECONDS)); else echo 1000000000; fi
}

check_host() {
    [ "$(uname -sm)" = "Linux x86_64" ] || fail "this bundle is for Linux on x86-64, and this is $(uname -sm)"
    need cmake "CMake (3.21 or newer)" cmake cmake
    need g++ "A C++ compiler" g++ gcc-c++
    need ninja "Ninja" ninja-build ninja-build
    if [ -n "$cuda" ]; then
        need nvidia-smi "NVIDIA's driver" nvidia-driver nvidia-driver
        nvidia-smi --query-gpu=name,compute_cap,memory.total,driver_version --format=csv,noheader \
            || fail "the driver finds no GPU. With --cpu nothing of CUDA is used."
        # A toolkit's libraries need not be where the loader looks.
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
        # For this GPU alone, and without the attention kernels of mixed KV cache types: minutes in place of half an hour.
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

# synthesize SHAPE:TYPE: false where there is no room.
synthesize() {
    local file synth bytes memory
    file=$(file_of "$1")
    [ ! -f "$file" ] || return 0
    [[ $1 == *:* ]] || fail "'$1' is no model: SHAPE:TYPE, for instance gpt-oss-20b:MXFP4, or demo"
    mkdir -p "$models_dir"
    synth=(model synth "${1%%:*}" --type "${1##*:}" ${layers+"${layers[@]}"} -o "$file")
    bytes=$("$moe" "${synth[@]}" --plan --json | awk '/"bytes"/ { sub(/,/, "", $2); print $2; exit }')
    memory=$(($(awk '/^MemTotal/ { print $2 }' /proc/meminfo) * 1024))
    if [ "$bytes" -gt $((memory * 9 / 10)) ]; then
        echo "$1 takes $bytes bytes, and the host has $memory of memory: left out" >&2
        return 1
    fi
    if [ "$bytes" -gt $(($(df --output=avail -B1 "$models_dir" | tail -n 1) - 2000000000)) ]; then
        echo "$1 takes $bytes bytes, for which $models_dir has no room: left out" >&2
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
            echo "$model: the time is up" >&2
            continue
        fi
        synthesize "$model" || continue
        file=$(file_of "$model")
        folder=$out/$(basename "$file" .gguf)${benches:+-${benches//,/-}}
        if [ -f "$folder/SHA256SUMS" ]; then
            echo "$model: $folder is there already"
        else
            measure "$file" "$folder" || echo "$model: no evidence; the reason is above" >&2
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
    # One file, for hosts that give back few.
    tar -czf "$2.tar.gz" -C "$out" "$(basename "$2")"
}

check_host
models=${models:-$all_models}
for step in "${steps[@]}"; do
    case $step in
        build) build ;;
        models | evidence)
            [ -d "$native" ] || fail "nothing is built yet: $0 build"
            if [ "$step" = models ]; then make_models; else evidence; fi ;;
    esac
done
