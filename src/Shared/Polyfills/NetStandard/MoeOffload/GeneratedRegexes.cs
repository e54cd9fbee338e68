using System.Text.RegularExpressions;

namespace MoeOffload.Chat
{
    internal sealed partial class EmbeddedSchemas
    {
        private static readonly Regex s_placeholders = GeneratedRegexAttribute.Create(typeof(EmbeddedSchemas), nameof(Placeholders));
        private static readonly Regex s_shownPlaceholder = GeneratedRegexAttribute.Create(typeof(EmbeddedSchemas), nameof(ShownPlaceholder));

        private static partial Regex Placeholders() => s_placeholders;

        private static partial Regex ShownPlaceholder() => s_shownPlaceholder;
    }
}

namespace MoeOffload.Inference.Embeddings
{
    internal sealed partial class RankingPrompt
    {
        private static readonly Regex s_placeholder = GeneratedRegexAttribute.Create(typeof(RankingPrompt), nameof(Placeholder));

        private static partial Regex Placeholder() => s_placeholder;
    }
}

namespace MoeOffload.Models
{
    internal static partial class ProjectorFiles
    {
        private static readonly Regex s_quantization = GeneratedRegexAttribute.Create(typeof(ProjectorFiles), nameof(Quantization));

        private static partial Regex Quantization() => s_quantization;
    }
}
