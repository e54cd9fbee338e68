using System.Text;
using MoeOffload.Games.Saving;

namespace MoeOffload.Games;

/// <summary>
/// Represents what the characters of a world remember, to be kept with the game's own save as JSON. It does not depend on the model. Instances do not
/// change, so any thread can write them.
/// </summary>
public sealed class WorldSave
{
    private const int LargestSave = 64 << 20;

    internal WorldSave(IReadOnlyDictionary<string, ConversationTurn[]> histories) => Histories = histories;

    /// <summary>Gets the names of the characters.</summary>
    public IReadOnlyList<string> Characters => [.. Histories.Keys];

    internal IReadOnlyDictionary<string, ConversationTurn[]> Histories { get; }

    /// <summary>Reads a save from JSON. Blocks for a time that grows with it; see <see cref="ReadAsync"/>.</summary>
    /// <param name="json">The JSON.</param>
    /// <exception cref="StateFormatException">The save is damaged, is no save of characters, or was written by a newer version.</exception>
    public static WorldSave Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return new WorldSave(SaveReader.Read(Encoding.UTF8.GetBytes(json)));
    }

    /// <summary>Reads a save from a stream up to its end, without blocking the caller.</summary>
    /// <param name="source">The stream, of up to 64 MiB.</param>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    /// <inheritdoc cref="Parse" path="/exception"/>
    /// <exception cref="IOException">Reading failed.</exception>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public static Task<WorldSave> ReadAsync(Stream source, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Task.Run(async () => new WorldSave(SaveReader.Read(await ReadToEndAsync(source, cancellationToken).ConfigureAwait(false))), cancellationToken);
    }

    /// <summary>Returns the save as JSON. Blocks for a time that grows with it; see <see cref="WriteAsync"/>.</summary>
    public string ToJson() => Encoding.UTF8.GetString(SaveWriter.Write(Histories));

    /// <summary>Writes the save to a stream, without blocking the caller.</summary>
    /// <param name="destination">The stream.</param>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    /// <exception cref="IOException">Writing failed.</exception>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task WriteAsync(Stream destination, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return Task.Run(() => destination.WriteAsync(SaveWriter.Write(Histories), cancellationToken).AsTask(), cancellationToken);
    }

    private static async Task<byte[]> ReadToEndAsync(Stream source, CancellationToken cancellationToken)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[1 << 16];
        while (await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var count)
        {
            if (all.Length + count > LargestSave)
            {
                throw new StateFormatException($"The save is larger than {LargestSave >> 20} MiB, so it is no save of characters. Check the file.");
            }

            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }
}
