namespace MoeOffload.Inference.Grammars;

/// <summary>
/// Represents the rules of a grammar after llama.cpp's expansion of groups and repetitions, as rules, alternatives and symbols. A symbol
/// that is not negative is the number of a rule; a negative one matches a character or token.
/// </summary>
/// <param name="Rules">The rules.</param>
/// <param name="Names">The name of each rule, or of the rule that contains it.</param>
/// <param name="Root">The number of the start rule.</param>
/// <param name="SymbolCount">The number of symbols.</param>
internal sealed record GrammarRules(int[][][] Rules, IReadOnlyList<string> Names, int Root, int SymbolCount);
