#!/usr/bin/env bash
# MoeOffload's build commands. build.ps1 has the same commands for PowerShell.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

usage() {
    cat <<'HELP'
usage: ./build.sh COMMAND [ARGUMENTS]

  demo [--model PATH ...]   load a MoE model with its experts in system memory, and stream an answer
  native [OPTIONS] [-- CMAKE ARGUMENTS]
                            build the native libraries into artifacts/native/
      --cuda                  with the CUDA backend
      --vulkan                with the Vulkan backend
      --peers                 with llama.cpp's own tools, with which the tests compare results
      --all-variants          with CPU variants for all processors of this architecture, selected at run time
      --two-variants          with only two CPU variants: one for all processors, and the best one for this machine
      --asan                  with AddressSanitizer, into artifacts/native-asan/, to parse hostile answers and templates
      --rid RID               for another platform, win-x64 or linux-arm64, with a compiler for it
  test [ARGUMENTS]          build everything and run the tests; ARGUMENTS are passed to dotnet test
  test --platforms          run an application from the packages for Windows and for arm64, with Wine and QEMU
  bench [ARGUMENTS]         compare the speed with llama.cpp's own tools and with LLamaSharp
  pack [--all-platforms]    create the NuGet packages in artifacts/packages/, for this machine and the platforms packed before,
                            or for linux-x64, linux-arm64 and win-x64
  gpu-bundle                create artifacts/gpu-bundle.tar.xz, to build and measure on a GPU machine (tests/gpu)
  api                       write the public API of each package to PublicAPI.Unshipped.txt
  docs [ARGUMENTS]          build the documentation's site into artifacts/site; --serve also shows it at http://localhost:8080
  reference                 write the pages of the documentation that are created from the program
  bindings                  generate bindings/Generated from llama.cpp's headers
  format [ARGUMENTS]        format the C# code; --verify-no-changes only checks it
  clean                     delete all build results except for the cache outside of this directory
HELP
}

# missing NAME APT DNF BREW: prints the command that installs NAME on this system, and exits.
missing() {
    echo "$1 is missing. Install it:" >&2
    if command -v apt-get >/dev/null; then echo "  sudo apt-get install $2" >&2
    elif command -v dnf >/dev/null; then echo "  sudo dnf install $3" >&2
    else echo "  brew install $4" >&2; fi
    exit 1
}

require_cmake() {
    command -v cmake >/dev/null || missing "CMake (3.21 or newer)" cmake cmake cmake
    local version
    version=$(cmake --version | awk 'NR == 1 { print $3 }')
    if [ "$(printf '%s\n' 3.21 "$version" | sort -V | head -n 1)" != 3.21 ]; then
        missing "CMake 3.21 or newer (this is $version)" cmake cmake cmake
    fi
}

require_dotnet() {
    command -v dotnet >/dev/null && dotnet --list-sdks | grep -q '^10\.' \
        || missing "The .NET 10 SDK" dotnet-sdk-10.0 dotnet-sdk-10.0 dotnet
}

# install_native PREFIX [OPTIONS] [-- CMAKE ARGUMENTS]
install_native() {
    local prefix=$1 options=() rid=
    shift
    while [ $# -gt 0 ]; do
        case $1 in
            --cuda) options+=(-DMOE_CUDA=ON) ;;
            --vulkan) options+=(-DMOE_VULKAN=ON) ;;
            --peers) options+=(-DMOE_PEERS=ON) ;;
            --all-variants) options+=(-DMOE_CPU_ALL_VARIANTS=ON) ;;
            --two-variants) options+=(-DMOE_CPU_TWO_VARIANTS=ON) ;;
            --asan) prefix=native-asan; options+=(-DMOE_ASAN=ON) ;;
            --rid) rid=${2:?--rid needs a platform}; shift ;;
            --) shift; options+=("$@"); break ;;
            *) echo "unknown option for native: $1" >&2; exit 2 ;;
        esac
        shift
    done
    require_cmake
    cmake -DPREFIX="$prefix" -DRID="$rid" -P "$root/native/cmake/build.cmake" -- ${options+"${options[@]}"}
}

# Adds up the test logs of all projects in one line. If the run of a project was aborted because it crashed or hung, its log contains an error
# in addition to the completed tests, which counts as one more failed test.
count_tests() {
    cat "$1"/*.trx 2>/dev/null | awk '
        function value(name) {
            return match($0, " " name "=\"[0-9]+\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) + 0 : 0
        }
        /<TestRun / { broke_off = 0 }
        /<RunInfo .*outcome="Error"/ && !broke_off {
            broke_off = 1
            total++
            failed++
        }
        /<Counters / {
            total += value("total")
            passed += value("passed")
            failed += value("failed") + value("error") + value("timeout") + value("aborted")
        }
        END {
            if (total == 0) print "No test ran."
            printf "%d passed, %d failed, %d skipped\n", passed, failed, total - passed - failed
            exit total == 0 || failed > 0
        }'
}

# build_for_net8 builds the library's tests for .NET 8, as a program that brings the runtime.
build_for_net8() {
    dotnet build "$root/tests/MoeOffload.Tests" -c Release --use-current-runtime --self-contained -p:MoeFramework=net8.0 --artifacts-path "$root/artifacts/net8.0"
}

# test_on_net8 RESULTS: runs this program. The longest tests are left out, whose subject is llama.cpp or the planner: they run on .NET 10 alone.
test_on_net8() {
    local filter='' name
    for name in Peer. SoakTests LeakTests MemoryEstimateTests PlacementOutputTests PrefixCacheTests MtpTests StepPlannerRandomTests; do
        filter+=${filter:+&}FullyQualifiedName!~$name
    done
    "$root"/artifacts/net8.0/bin/MoeOffload.Tests/release*/MoeOffload.Tests \
        --filter "$filter" --settings "$root/tests/MoeOffload.Tests/net8.0.runsettings" --timeout 45m --report-trx --report-trx-filename tests_net8.0.trx --results-directory "$1"
}

run_tests() {
    require_dotnet
    install_native native --peers --two-variants
    pack_from native # some tests install these packages
    local results=$root/artifacts/test-results status=0
    rm -rf "$results"
    dotnet build "$root/MoeOffload.sln" -c Release
    build_for_net8
    # Projects run one at a time, because tests that measure would disturb each other. A test that hangs ends the run of its project and leaves a dump.
    dotnet test "$root/MoeOffload.sln" -c Release --no-build -m:1 --blame-hang-timeout 15m --blame-hang-dump-type mini \
        --logger "trx;LogFilePrefix=tests" --results-directory "$results" "$@" || status=$?
    if [ $# -eq 0 ]; then
        test_on_net8 "$results" || status=$?
    fi
    if ! count_tests "$results"; then
        status=1
        find "$results" -name "*_hangdump.dmp" -printf "A test hung; a dump of its process is in %p\n" 2>/dev/null || true
    fi
    return $status
}

# test_platforms runs what can be run of the platforms that this machine can build for. One CPU variant of each is enough for this.
test_platforms() {
    command -v wine64 wine /usr/lib/wine/wine64 >/dev/null || missing Wine wine64 wine-core wine-stable
    command -v qemu-aarch64 qemu-aarch64-static >/dev/null || missing "QEMU's user-mode emulation" qemu-user qemu-user qemu
    require_dotnet
    install_native native --two-variants
    install_native native --rid win-x64
    install_native native --rid linux-arm64
    pack_from native
    dotnet test "$root/tests/MoeOffload.Package.Tests" -c Release --filter FullyQualifiedName~Platform
}

pack() {
    local others=() rid
    case ${1:-} in
        '') ;;
        --all-platforms) others=(linux-x64 linux-arm64 win-x64) ;;
        *) echo "unknown option for pack: $1" >&2; exit 2 ;;
    esac
    install_native native-pack --all-variants
    for rid in $({ ls "$root/artifacts/native-pack"; printf '%s\n' ${others+"${others[@]}"}; } | sort -u); do
        install_native native-pack --all-variants --rid "$rid"
    done
    pack_from native-pack
    ls -l "$root/artifacts/packages"
}

# pack_from PREFIX: creates the packages with the native libraries from artifacts/PREFIX.
pack_from() {
    require_dotnet
    local prefix=$1 packages=$root/artifacts/packages projects project
    projects=("$root"/src/{MoeOffload/MoeOffload,MoeOffload.Catalog/MoeOffload.Catalog,MoeOffload.Extensions.AI/MoeOffload.Extensions.AI,MoeOffload.Games/MoeOffload.Games,MoeOffload.Hosting/MoeOffload.Hosting,MoeOffload.Aspire/MoeOffload.Aspire,MoeOffload.Aspire.Hosting/MoeOffload.Aspire.Hosting,MoeOffload.Server/MoeOffload.Server,MoeOffload.Cli/MoeOffload.Cli,MoeOffload.Templates/MoeOffload.Templates}.csproj
        "$root/native/packages/MoeOffload.Native.Cpu.csproj")
    if [ -n "$(find "$root/artifacts/native" -name "*moe-ggml-cuda.*" 2>/dev/null)" ]; then
        projects+=("$root/native/packages/MoeOffload.Native.Cuda.csproj")
    else
        echo "There is no CUDA build, so MoeOffload.Native.Cuda is not created. To build it, run ./build.sh native --cuda."
    fi
    rm -rf "$packages"
    compile_ahead "$prefix"
    for project in "${projects[@]}"; do
        dotnet pack "$project" -c Release -o "$packages" -p:MoeNativePrefix="$prefix"
    done
}

# compile_ahead PREFIX: compiles the library ahead of time for each platform that artifacts/PREFIX has libraries for. A project that references
# the library is published, so that what is compiled is the assembly that the package holds, and its symbols are valid.
compile_ahead() {
    local ahead=$root/artifacts/ready-to-run rid framework
    rm -rf "$ahead"
    for rid in $(ls "$root/artifacts/$1"); do
        for framework in net10.0 net8.0; do
            dotnet publish "$root/src/MoeOffload.Extensions.AI" -c Release -f "$framework" -r "$rid" --no-self-contained \
                -p:PublishReadyToRun=true -o "$ahead/$rid/lib/$framework"
        done
    done
}

# The compiler reports symbols that are not in the files yet. Released symbols stay in PublicAPI.Shipped.txt. The few symbols that only .NET or
# only .NET Standard has are in files of their own.
write_api() {
    require_dotnet
    local project file symbols
    for project in "$root"/src/{MoeOffload,MoeOffload.Catalog,MoeOffload.Extensions.AI,MoeOffload.Games,MoeOffload.Hosting,MoeOffload.Aspire,MoeOffload.Aspire.Hosting,MoeOffload.Server}; do
        for file in "$project"/PublicAPI.Unshipped.txt "$project"/PublicAPI/*/PublicAPI.Unshipped.txt; do
            [ ! -f "$file" ] || echo '#nullable enable' > "$file"
        done
        dotnet build "$project" -c Release -p:TreatWarningsAsErrors=false > "$project/obj/api.log" || { cat "$project/obj/api.log"; return 1; }
        symbols=$project/obj/api
        api_of "$project" net10.0 > "$symbols.net"
        if grep -q 'TargetFramework=netstandard' "$project/obj/api.log"; then
            api_of "$project" netstandard2.1 > "$symbols.netstandard"
        else
            cp "$symbols.net" "$symbols.netstandard"
        fi
        LC_ALL=C comm -12 "$symbols.net" "$symbols.netstandard" >> "$project/PublicAPI.Unshipped.txt"
        LC_ALL=C comm -23 "$symbols.net" "$symbols.netstandard" | add_api "$project/PublicAPI/net/PublicAPI.Unshipped.txt"
        LC_ALL=C comm -13 "$symbols.net" "$symbols.netstandard" | add_api "$project/PublicAPI/netstandard/PublicAPI.Unshipped.txt"
        echo "$project/PublicAPI.Unshipped.txt: $(($(wc -l < "$project/PublicAPI.Unshipped.txt") - 1)) lines"
    done
}

# api_of PROJECT FRAMEWORK: prints the symbols that the compiler has reported.
api_of() {
    sed -n "s|^.*/src/$(basename "$1")/.*warning RS0016: Symbol '\(.*\)' is not part of the declared public API.*TargetFramework=$2.*|\1|p" "$1/obj/api.log" | LC_ALL=C sort -u
}

# add_api FILE: appends symbols to a file, which is created if there are any.
add_api() {
    local symbols
    symbols=$(cat)
    [ -n "$symbols" ] || return 0
    mkdir -p "$(dirname "$1")"
    [ -f "$1" ] || echo '#nullable enable' > "$1"
    echo "$symbols" >> "$1"
}

build_docs() {
    require_dotnet
    local package
    for package in Aspire Aspire.Hosting Hosting Server; do
        dotnet build "$root/src/MoeOffload.$package" -c Release -f net10.0
    done
    cd "$root"
    dotnet tool restore
    dotnet docfx docfx.json --warningsAsErrors "$@"
}

gpu_bundle() {
    require_dotnet
    require_cmake
    local published=$root/build/gpu-bundle/moe commit
    commit=$(git -C "$root" describe --always --dirty --abbrev=40 2>/dev/null || echo unknown)
    rm -rf "$published"
    dotnet publish "$root/src/MoeOffload.Cli" -c Release -r linux-x64 --self-contained -p:InvariantGlobalization=true -o "$published"
    cmake -DMOE_DIRECTORY="$published" -DCOMMIT="$commit" -P "$root/tests/gpu/bundle.cmake"
}

run_project() {
    local project=$1
    shift
    dotnet run --project "$root/$project" -c Release -- "$@"
}

command=${1:-help}
[ $# -eq 0 ] || shift

case $command in
    demo)
        require_dotnet
        install_native native
        run_project samples/HelloMoe --model "$root/samples/TinyMoe/tiny-moe.gguf" "$@" ;; # the last --model is used
    native) install_native native "$@" ;;
    test)
        if [ "${1:-}" = --platforms ]; then test_platforms; else run_tests "$@"; fi ;;
    bench)
        require_dotnet
        install_native native --peers
        dotnet build "$root/tests/MoeOffload.Peers.LLamaSharp" -c Release -v q -nologo \
            || echo "LLamaSharp is not compared, because its program could not be built."
        run_project tests/MoeOffload.Benchmarks "$@" ;;
    pack) pack "$@" ;;
    gpu-bundle) gpu_bundle ;;
    api) write_api ;;
    docs) build_docs "$@" ;;
    reference)
        require_dotnet
        MOE_WRITE_REFERENCE=1 dotnet test "$root/tests/MoeOffload.Documentation.Tests" -c Release --filter FullyQualifiedName~ReferencePageTests ;;
    bindings)
        require_dotnet
        require_cmake
        run_project bindings/Generator --source "$(cmake -P "$root/native/cmake/source.cmake")" "$@" ;;
    format)
        require_dotnet
        dotnet format "$root/MoeOffload.sln" "$@" ;;
    clean)
        rm -rf "$root/artifacts" "$root/build"
        find "$root/src" "$root/tests" "$root/samples" "$root/bindings" "$root/native" \
            -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} + 2>/dev/null || true ;;
    help | -h | --help) usage ;;
    *)
        usage >&2
        exit 2 ;;
esac
