using System.Security.Cryptography;
using System.Text;

namespace MoeOffload.Measurement.Evidence;

/// <summary>Writes and checks the file of hashes, in the format of <c>sha256sum</c>.</summary>
internal static class HashFile
{
    private const int HashLength = 64;

    /// <summary>Returns the content of the file, with the hashes of all other files.</summary>
    public static string Write(EvidenceFiles files)
    {
        var text = new StringBuilder();
        foreach (string name in files.Names.Where(name => name != EvidenceFiles.Hashes))
        {
            text.Append(HashOf(files, name)).Append("  ").Append(name).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>Finds the files that do not match their hashes.</summary>
    public static IEnumerable<Problem> Find(EvidenceFiles files)
    {
        if (!files.Has(EvidenceFiles.Hashes))
        {
            yield return new Problem(EvidenceFiles.Hashes, "it is missing: the folder is incomplete.");
            yield break;
        }

        var listed = new HashSet<string>(StringComparer.Ordinal);
        string[] lines = files.ReadLines(EvidenceFiles.Hashes);
        for (int i = 0; i < lines.Length; i++)
        {
            string where = $"{EvidenceFiles.Hashes}:{i + 1}";
            if (lines[i].Length <= HashLength + 2 || lines[i][HashLength] != ' ' || !lines[i][..HashLength].All(char.IsAsciiHexDigitLower))
            {
                yield return new Problem(where, "it must be a hash, two spaces and a name.");
                continue;
            }

            string name = lines[i][(HashLength + 2)..];
            if (!listed.Add(name))
            {
                yield return new Problem(where, $"'{name}' occurs twice.");
            }
            else if (!files.Has(name))
            {
                yield return new Problem(where, $"'{name}' is not a file of the folder.");
            }
            else if (HashOf(files, name) != lines[i][..HashLength])
            {
                yield return new Problem(name, $"its content does not match the hash in {where}.");
            }
        }

        foreach (string name in files.Names.Where(name => name != EvidenceFiles.Hashes && !listed.Contains(name)))
        {
            yield return new Problem(name, $"{EvidenceFiles.Hashes} does not contain its hash.");
        }
    }

    private static string HashOf(EvidenceFiles files, string name)
    {
        using Stream stream = files.OpenRead(name);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
