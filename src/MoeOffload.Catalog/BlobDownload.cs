using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace MoeOffload.Catalog;

/// <summary>Downloads one file: resumes an earlier download, and verifies the hash of the result.</summary>
/// <param name="hub">The client of the hub.</param>
/// <param name="repository">The name of the repository, <c>ORG/REPO</c>.</param>
/// <param name="commit">The hash of the commit.</param>
/// <param name="file">The file to download.</param>
/// <param name="backoff">The policy that repeats failed requests.</param>
/// <param name="progress">A callback that receives the stage and the number of bytes of the file that are present.</param>
internal sealed class BlobDownload(
    HubClient hub, string repository, string commit, HubFile file, Backoff backoff, Action<PullStage, long> progress)
{
    private const int BufferSize = 1 << 18;

    private EntityTagHeaderValue? _tag;
    private bool _resumes = true;

    /// <summary>Downloads to a file that may already hold the beginning.</summary>
    /// <param name="path">The path of the file. If the download fails, the file is kept, unless its hash is wrong.</param>
    /// <param name="cancellationToken">A token to cancel the download.</param>
    /// <exception cref="ModelPullException">The hub fails, denies access, or sends content whose hash is wrong.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public async Task RunAsync(string path, CancellationToken cancellationToken)
    {
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 1, FileOptions.Asynchronous);
        await using (stream.ConfigureAwait(false))
        {
            for (bool isSecond = false; ; isSecond = true)
            {
                string hash = await FillAsync(stream, cancellationToken).ConfigureAwait(false);
                if (hash == file.Hash)
                {
                    stream.Flush(flushToDisk: true);
                    return;
                }

                stream.SetLength(0);
                if (isSecond)
                {
                    throw new ModelPullException(
                        $"'{file.Path}' was downloaded twice with the hash {hash}, but the hub states {file.Hash}. A proxy or the hub changes the content. The file was deleted; try another network or another HF_ENDPOINT.");
                }
            }
        }
    }

    private async Task<string> FillAsync(FileStream stream, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(
            file.Hash.Length == HubFile.Sha256Length ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1);
        await ResumeAsync(stream, hash, cancellationToken).ConfigureAwait(false);
        while (stream.Position < file.Bytes)
        {
            await backoff.RunAsync(() => ReceiveAsync(stream, hash, cancellationToken), cancellationToken).ConfigureAwait(false);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private async Task ResumeAsync(FileStream stream, IncrementalHash hash, CancellationToken cancellationToken)
    {
        if (stream.Length > file.Bytes)
        {
            stream.SetLength(0);
        }

        Begin(stream, hash);
        byte[] buffer = new byte[BufferSize];
        int count;
        while ((count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            hash.AppendData(buffer, 0, count);
            progress(PullStage.Resuming, stream.Position);
        }
    }

    private async Task<bool> ReceiveAsync(FileStream stream, IncrementalHash hash, CancellationToken cancellationToken)
    {
        long from = _resumes ? stream.Position : 0;
        using HttpResponseMessage response = await hub.OpenAsync(repository, commit, file.Path, from, _tag, cancellationToken).ConfigureAwait(false);
        long announced = CheckLength(response, from);
        if (announced != stream.Position)
        {
            stream.SetLength(0);
            hash.GetHashAndReset();
            Begin(stream, hash);
        }

        _tag = response.Headers.ETag is { IsWeak: false } tag ? tag : null;
        Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            await CopyAsync(body, stream, hash, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Gets the position in the file at which the body of a response begins.</summary>
    private long CheckLength(HttpResponseMessage response, long from)
    {
        HttpContentHeaders headers = response.Content.Headers;
        if (response.StatusCode == HttpStatusCode.PartialContent
            && headers.ContentRange is { } range && range.From == from && (range.Length ?? file.Bytes) == file.Bytes)
        {
            return from;
        }

        if (response.StatusCode is HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            _resumes = false;
            throw new HubFailureException($"{response.RequestMessage!.RequestUri!.Host} sent a different part of '{file.Path}' than the one that was requested.");
        }

        return headers.ContentLength is not { } length || length == file.Bytes
            ? 0
            : throw new HubFailureException(string.Create(
                CultureInfo.InvariantCulture, $"{response.RequestMessage!.RequestUri!.Host} sends {length} bytes for '{file.Path}', which has {file.Bytes} bytes."));
    }

    private async Task CopyAsync(Stream body, FileStream stream, IncrementalHash hash, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[BufferSize];
        while (stream.Position < file.Bytes)
        {
            int count = await hub.WithinAsync(token => body.ReadAsync(buffer, token).AsTask(), cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                throw new HubFailureException(string.Create(
                    CultureInfo.InvariantCulture, $"The hub stopped sending '{file.Path}' after {stream.Position} of {file.Bytes} bytes."));
            }

            // Data beyond the size of the file is ignored.
            count = (int)Math.Min(count, file.Bytes - stream.Position);
            await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            hash.AppendData(buffer, 0, count);
            backoff.Reset();
            progress(PullStage.Downloading, stream.Position);
        }
    }

    // Git hashes a header with the size before the content of the file.
    private void Begin(FileStream stream, IncrementalHash hash)
    {
        stream.Position = 0;
        if (file.Hash.Length == HubFile.GitLength)
        {
            hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {file.Bytes}\0")));
        }
    }
}
