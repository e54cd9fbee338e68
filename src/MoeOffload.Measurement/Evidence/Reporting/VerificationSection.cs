namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Creates the section about how to verify the report and repeat the measurement.</summary>
internal static class VerificationSection
{
    public static IEnumerable<Block> Of(EvidenceFolder folder)
    {
        yield return new HeadingBlock(2, "Check it");
        yield return new ParagraphBlock(
            "In this folder, `sha256sum -c SHA256SUMS` says whether a file was changed since it was made. `moe evidence verify .` needs neither the models nor the native libraries: it checks the hashes, that no repeat is missing, every figure against the lines that `manifest.json` names, what the loading logs say of experts, buffers and context, and that this report is what the raw files give.");
        yield return new HeadingBlock(2, "Repeat it");
        yield return new ParagraphBlock("The commands, as they were run; where a path was, its last part is left:");
        yield return new CodeBlock(folder.Files.ReadText(EvidenceFiles.Commands));
    }
}
