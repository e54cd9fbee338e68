# syntax=docker/dockerfile:1
# The server of `moe serve` in a container. docs/server.md#in-a-container describes how to build and run it.

# For NVIDIA GPUs: images of CUDA that are based on Ubuntu 24.04, a "devel" and a "runtime" one, and NATIVE_OPTIONS="--all-variants --cuda".
ARG BUILD_IMAGE=ubuntu:24.04
ARG RUNTIME_IMAGE=ubuntu:24.04

FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS sdk
FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble AS aspnet

FROM ${BUILD_IMAGE} AS build
ARG NATIVE_OPTIONS=--all-variants
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates cmake g++ git ninja-build nodejs npm openssl \
    && rm -rf /var/lib/apt/lists/*
COPY --from=sdk /usr/share/dotnet /usr/share/dotnet
ENV PATH="${PATH}:/usr/share/dotnet" DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1

# The native libraries take the longest, and change least.
WORKDIR /source
COPY build.sh CMakeLists.txt THIRD-PARTY-NOTICES.txt ./
COPY native native
RUN ./build.sh native ${NATIVE_OPTIONS}

COPY . .
RUN dotnet publish src/MoeOffload.Cli -c Release -p:MoeNativePrefix=native -p:UseAppHost=false -o /app

FROM ${RUNTIME_IMAGE}
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates libstdc++6 openssl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1654 --create-home moe \
    && mkdir /data /models \
    && chown moe /data
COPY --from=aspnet /usr/share/dotnet /usr/share/dotnet
COPY --from=build /app /app

# Downloads are kept in /data. GGUF files of this machine can be mounted at /models.
ENV PATH="${PATH}:/usr/share/dotnet" HF_HOME=/data/huggingface MOE_MODEL_DIRS=/models MOE_BIND=0.0.0.0:8080
USER moe
WORKDIR /home/moe
VOLUME /data
EXPOSE 8080

# The server answers when the model on its command line is downloaded, before it is loaded. The images have no curl, but bash can connect.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30m \
    CMD bash -c 'exec 3<>"/dev/tcp/127.0.0.1/${MOE_BIND##*:}" && printf "GET /ready HTTP/1.0\r\nHost: localhost\r\n\r\n" >&3 && head -n 1 <&3 | grep -q " 200 "'

ENTRYPOINT ["dotnet", "/app/moe.dll"]
CMD ["serve"]
