#!/usr/bin/env pwsh
# MoeOffload's build commands. build.sh has the same commands for a POSIX shell.
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest

$root = $PSScriptRoot
$env:DOTNET_CLI_TELEMETRY_OPTOUT = '1'
$env:DOTNET_NOLOGO = '1'

$usage = @'
usage: ./build.ps1 COMMAND [ARGUMENTS]

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
'@

# Runs a program, and exits with its exit code if it fails.
function Invoke-Program([string] $program, [string[]] $arguments) {
    & $program @arguments
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

function Stop-Missing([string] $what, [string] $package) {
    [Console]::Error.WriteLine("$what is missing. Install it:`n  winget install $package")
    exit 1
}

function Test-CMake {
    if (-not (Get-Command cmake -ErrorAction Ignore)) { Stop-Missing 'CMake (3.21 or newer)' 'Kitware.CMake' }
    $version = [version] ((cmake --version)[0] -replace '^cmake version (\d+\.\d+).*$', '$1')
    if ($version -lt [version] '3.21') { Stop-Missing "CMake 3.21 or newer (this is $version)" 'Kitware.CMake' }
}

function Test-DotNet {
    if (-not (Get-Command dotnet -ErrorAction Ignore) -or -not ((dotnet --list-sdks) -match '^10\.')) {
        Stop-Missing 'The .NET 10 SDK' 'Microsoft.DotNet.SDK.10'
    }
}

function Install-Native([string] $prefix, [string[]] $arguments) {
    $options = @()
    $rid = ''
    for ($i = 0; $i -lt $arguments.Count; $i++) {
        switch -CaseSensitive ($arguments[$i]) {
            '--cuda' { $options += '-DMOE_CUDA=ON' }
            '--vulkan' { $options += '-DMOE_VULKAN=ON' }
            '--peers' { $options += '-DMOE_PEERS=ON' }
            '--all-variants' { $options += '-DMOE_CPU_ALL_VARIANTS=ON' }
            '--two-variants' { $options += '-DMOE_CPU_TWO_VARIANTS=ON' }
            '--asan' {
                $prefix = 'native-asan'
                $options += '-DMOE_ASAN=ON'
            }
            '--rid' {
                $i++
                $rid = $arguments[$i]
            }
            '--' {
                $options += $arguments | Select-Object -Skip ($i + 1)
                $i = $arguments.Count
            }
            default {
                # PowerShell itself removes a bare "--".
                if ($_ -notmatch '^-[^-]') {
                    [Console]::Error.WriteLine("unknown option for native: $_")
                    exit 2
                }
                $options += $arguments | Select-Object -Skip $i
                $i = $arguments.Count
            }
        }
    }
    Test-CMake
    Invoke-Program cmake (@("-DPREFIX=$prefix", "-DRID=$rid", '-P', "$root/native/cmake/build.cmake", '--') + $options)
}

# Adds up the test logs of all projects in one line. If the run of a project was aborted because it crashed or hung, its log contains an error
# in addition to the completed tests, which counts as one more failed test.
function Measure-Tests([string] $results) {
    $total = $passed = $failed = 0
    foreach ($log in Get-ChildItem $results -Filter *.trx -ErrorAction Ignore) {
        $summary = ([xml] (Get-Content $log.FullName -Raw)).TestRun.ResultSummary
        $counters = $summary.Counters
        if ($summary.SelectSingleNode("*[local-name()='RunInfos']/*[@outcome='Error']")) {
            $total++
            $failed++
        }
        $total += [int] $counters.total
        $passed += [int] $counters.passed
        $failed += [int] $counters.failed + [int] $counters.error + [int] $counters.timeout + [int] $counters.aborted
    }
    if ($total -eq 0) { Write-Host 'No test ran.' }
    Write-Host "$passed passed, $failed failed, $($total - $passed - $failed) skipped"
    return $total -gt 0 -and $failed -eq 0
}

# Builds the library's tests for .NET 8, as a program that brings the runtime.
function Build-ForNet8 {
    Invoke-Program dotnet @('build', "$root/tests/MoeOffload.Tests", '-c', 'Release', '--use-current-runtime', '--self-contained',
        '-p:MoeFramework=net8.0', '--artifacts-path', "$root/artifacts/net8.0")
}

# Runs this program. The longest tests are left out, whose subject is llama.cpp or the planner: they run on .NET 10 alone.
function Test-OnNet8([string] $results) {
    $leftOut = 'Peer.', 'SoakTests', 'LeakTests', 'MemoryEstimateTests', 'PlacementOutputTests', 'PrefixCacheTests', 'MtpTests', 'StepPlannerRandomTests'
    $filter = ($leftOut | ForEach-Object { "FullyQualifiedName!~$_" }) -join '&'
    $program = Get-ChildItem "$root/artifacts/net8.0/bin/MoeOffload.Tests/release*/*" -Include MoeOffload.Tests, MoeOffload.Tests.exe
    & $program.FullName --filter $filter --settings "$root/tests/MoeOffload.Tests/net8.0.runsettings" --timeout 45m --report-trx --report-trx-filename tests_net8.0.trx --results-directory $results
}

function Invoke-Tests([string[]] $arguments) {
    Test-DotNet
    Install-Native native @('--peers', '--two-variants')
    New-PackagesFrom native # some tests install these packages
    $results = "$root/artifacts/test-results"
    Remove-Item $results -Recurse -Force -ErrorAction Ignore
    Invoke-Program dotnet @('build', "$root/MoeOffload.sln", '-c', 'Release')
    Build-ForNet8
    # Projects run one at a time, because tests that measure would disturb each other. A test that hangs ends the run of its project and leaves a dump.
    dotnet test "$root/MoeOffload.sln" -c Release --no-build -m:1 --blame-hang-timeout 15m --blame-hang-dump-type mini `
        --logger 'trx;LogFilePrefix=tests' --results-directory $results @arguments
    $status = $LASTEXITCODE
    if ($arguments.Count -eq 0) {
        Test-OnNet8 $results
        if ($status -eq 0) { $status = $LASTEXITCODE }
    }
    if (-not (Measure-Tests $results)) {
        if ($status -eq 0) { $status = 1 }
        Get-ChildItem $results -Filter *_hangdump.dmp -Recurse -ErrorAction Ignore |
            ForEach-Object { Write-Host "A test hung; a dump of its process is in $($_.FullName)" }
    }
    exit $status
}

# Runs what can be run of the platforms that this machine can build for. One CPU variant of each is enough for this.
function Test-Platforms {
    Test-DotNet
    Install-Native native @('--two-variants')
    Install-Native native @('--rid', 'win-x64')
    Install-Native native @('--rid', 'linux-arm64')
    New-PackagesFrom native
    Invoke-Program dotnet @('test', "$root/tests/MoeOffload.Package.Tests", '-c', 'Release', '--filter', 'FullyQualifiedName~Platform')
}

function New-Packages([string[]] $arguments) {
    $others = @()
    foreach ($argument in $arguments) {
        if ($argument -cne '--all-platforms') {
            [Console]::Error.WriteLine("unknown option for pack: $argument")
            exit 2
        }
        $others = 'linux-x64', 'linux-arm64', 'win-x64'
    }
    Install-Native native-pack @('--all-variants')
    foreach ($rid in @((Get-ChildItem "$root/artifacts/native-pack" -Directory).Name) + $others | Sort-Object -Unique) {
        Install-Native native-pack @('--all-variants', '--rid', $rid)
    }
    New-PackagesFrom native-pack
    Get-ChildItem "$root/artifacts/packages"
}

# Creates the packages with the native libraries from artifacts/<prefix>.
function New-PackagesFrom([string] $prefix) {
    Test-DotNet
    $packages = "$root/artifacts/packages"
    Remove-Item $packages -Recurse -Force -ErrorAction Ignore
    $projects = @(
        "$root/src/MoeOffload/MoeOffload.csproj", "$root/src/MoeOffload.Catalog/MoeOffload.Catalog.csproj", "$root/src/MoeOffload.Extensions.AI/MoeOffload.Extensions.AI.csproj", "$root/src/MoeOffload.Games/MoeOffload.Games.csproj", "$root/src/MoeOffload.Hosting/MoeOffload.Hosting.csproj", "$root/src/MoeOffload.Aspire/MoeOffload.Aspire.csproj", "$root/src/MoeOffload.Aspire.Hosting/MoeOffload.Aspire.Hosting.csproj", "$root/src/MoeOffload.Server/MoeOffload.Server.csproj", "$root/src/MoeOffload.Cli/MoeOffload.Cli.csproj", "$root/src/MoeOffload.Templates/MoeOffload.Templates.csproj",
        "$root/native/packages/MoeOffload.Native.Cpu.csproj")
    if (Get-ChildItem "$root/artifacts/native" -Filter *moe-ggml-cuda.* -Recurse -ErrorAction Ignore) {
        $projects += "$root/native/packages/MoeOffload.Native.Cuda.csproj"
    }
    else {
        Write-Host "There is no CUDA build, so MoeOffload.Native.Cuda is not created. To build it, run ./build.ps1 native --cuda."
    }
    Build-Ahead $prefix
    foreach ($project in $projects) {
        Invoke-Program dotnet @('pack', $project, '-c', 'Release', '-o', $packages, "-p:MoeNativePrefix=$prefix")
    }
}

# Compiles the library ahead of time for each platform that artifacts/<prefix> has libraries for. A project that references the library is
# published, so that what is compiled is the assembly that the package holds, and its symbols are valid.
function Build-Ahead([string] $prefix) {
    $ahead = "$root/artifacts/ready-to-run"
    Remove-Item $ahead -Recurse -Force -ErrorAction Ignore
    foreach ($rid in (Get-ChildItem "$root/artifacts/$prefix" -Directory).Name) {
        foreach ($framework in 'net10.0', 'net8.0') {
            Invoke-Program dotnet @('publish', "$root/src/MoeOffload.Extensions.AI", '-c', 'Release', '-f', $framework, '-r', $rid,
                '--no-self-contained', '-p:PublishReadyToRun=true', '-o', "$ahead/$rid/lib/$framework")
        }
    }
}

# The compiler reports symbols that are not in the files yet. Released symbols stay in PublicAPI.Shipped.txt. The few symbols that only .NET or
# only .NET Standard has are in files of their own.
function Write-Api {
    Test-DotNet
    foreach ($name in 'MoeOffload', 'MoeOffload.Catalog', 'MoeOffload.Extensions.AI', 'MoeOffload.Games', 'MoeOffload.Hosting', 'MoeOffload.Aspire', 'MoeOffload.Aspire.Hosting', 'MoeOffload.Server') {
        $project = "$root/src/$name"
        $files = "$project/PublicAPI.Unshipped.txt", "$project/PublicAPI/net/PublicAPI.Unshipped.txt", "$project/PublicAPI/netstandard/PublicAPI.Unshipped.txt"
        $files | Where-Object { Test-Path $_ } | ForEach-Object { [IO.File]::WriteAllText($_, "#nullable enable`n") }
        $log = dotnet build $project -c Release -p:TreatWarningsAsErrors=false
        if ($LASTEXITCODE -ne 0) { $log; exit $LASTEXITCODE }
        $net = Get-Symbols $log $name 'net10.0'
        $standard = if ($log -match 'TargetFramework=netstandard') { Get-Symbols $log $name 'netstandard2.1' } else { $net }
        $sets = ($net | Where-Object { $_ -cin $standard }), ($net | Where-Object { $_ -cnotin $standard }), ($standard | Where-Object { $_ -cnotin $net })
        for ($i = 0; $i -lt $files.Count; $i++) {
            [string[]] $symbols = @($sets[$i])
            if ($symbols.Count -eq 0) { continue }
            [Array]::Sort($symbols, [StringComparer]::Ordinal)
            New-Item (Split-Path $files[$i]) -ItemType Directory -Force | Out-Null
            if (-not (Test-Path $files[$i])) { [IO.File]::WriteAllText($files[$i], "#nullable enable`n") }
            [IO.File]::AppendAllText($files[$i], ($symbols -join "`n") + "`n")
            Write-Host "$($files[$i]): $($symbols.Count) lines"
        }
    }
}

function Get-Symbols([string[]] $log, [string] $name, [string] $framework) {
    $log | Select-String "[/\\]src[/\\]${name}[/\\].*warning RS0016: Symbol '(.*)' is not part of the declared public API.*TargetFramework=$framework" |
        ForEach-Object { $_.Matches[0].Groups[1].Value } | Select-Object -Unique
}

function Build-Docs([string[]] $arguments) {
    Test-DotNet
    foreach ($package in 'Aspire', 'Aspire.Hosting', 'Hosting', 'Server') {
        Invoke-Program dotnet @('build', "$root/src/MoeOffload.$package", '-c', 'Release', '-f', 'net10.0')
    }
    Push-Location $root
    try {
        Invoke-Program dotnet @('tool', 'restore')
        Invoke-Program dotnet (@('docfx', 'docfx.json', '--warningsAsErrors') + $arguments)
    }
    finally { Pop-Location }
}

function New-GpuBundle {
    Test-DotNet
    Test-CMake
    $published = "$root/build/gpu-bundle/moe"
    $commit = git -C $root describe --always --dirty --abbrev=40 2>$null
    if (-not $commit) { $commit = 'unknown' }
    Remove-Item $published -Recurse -Force -ErrorAction Ignore
    Invoke-Program dotnet @(
        'publish', "$root/src/MoeOffload.Cli", '-c', 'Release', '-r', 'linux-x64', '--self-contained', '-p:InvariantGlobalization=true', '-o', $published)
    Invoke-Program cmake @("-DMOE_DIRECTORY=$published", "-DCOMMIT=$commit", '-P', "$root/tests/gpu/bundle.cmake")
}

function Invoke-Project([string] $project, [string[]] $arguments) {
    Invoke-Program dotnet (@('run', '--project', "$root/$project", '-c', 'Release', '--') + $arguments)
}

$command = if ($args.Count -gt 0) { $args[0] } else { 'help' }
[string[]] $rest = @($args | Select-Object -Skip 1)

switch -CaseSensitive ($command) {
    'demo' {
        Test-DotNet
        Install-Native native @()
        $model = Join-Path $root 'samples/TinyMoe/tiny-moe.gguf' # a later --model counts
        Invoke-Project samples/HelloMoe (@('--model', $model) + $rest)
    }
    'native' { Install-Native native $rest }
    'test' { if ($rest.Count -gt 0 -and $rest[0] -ceq '--platforms') { Test-Platforms } else { Invoke-Tests $rest } }
    'bench' {
        Test-DotNet
        Install-Native native @('--peers')
        dotnet build (Join-Path $PSScriptRoot tests/MoeOffload.Peers.LLamaSharp) -c Release -v q -nologo
        if ($LASTEXITCODE -ne 0) { Write-Host 'LLamaSharp is not compared, because its program could not be built.' }
        Invoke-Project tests/MoeOffload.Benchmarks $rest
    }
    'pack' { New-Packages $rest }
    'gpu-bundle' { New-GpuBundle }
    'api' { Write-Api }
    'docs' { Build-Docs $rest }
    'reference' {
        Test-DotNet
        $env:MOE_WRITE_REFERENCE = '1'
        try { Invoke-Program dotnet @('test', "$root/tests/MoeOffload.Documentation.Tests", '-c', 'Release', '--filter', 'FullyQualifiedName~ReferencePageTests') }
        finally { Remove-Item Env:MOE_WRITE_REFERENCE }
    }
    'bindings' {
        Test-DotNet
        Test-CMake
        $source = cmake -P "$root/native/cmake/source.cmake"
        if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
        Invoke-Project bindings/Generator (@('--source', $source) + $rest)
    }
    'format' {
        Test-DotNet
        Invoke-Program dotnet (@('format', "$root/MoeOffload.sln") + $rest)
    }
    'clean' {
        Remove-Item "$root/artifacts", "$root/build" -Recurse -Force -ErrorAction Ignore
        Get-ChildItem "$root/src", "$root/tests", "$root/samples", "$root/bindings", "$root/native" `
            -Include bin, obj -Directory -Recurse -ErrorAction Ignore | Remove-Item -Recurse -Force
    }
    { $_ -in 'help', '-h', '--help' } { $usage }
    default {
        [Console]::Error.WriteLine($usage)
        exit 2
    }
}
