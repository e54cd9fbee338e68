namespace MoeOffload.Inference.Grammars;

/// <summary>
/// The rules of a grammar after llama.cpp's rewriting of groups and repetitions: rule, alternative, symbol. A symbol that is
/// not negative is a rule's number; a negative one takes a character or token.
/// </summary>
/// <param name="Rules">The rules.</param>
/// <param name="Names">For each rule its own name, or that of the rule in whose text it stands.</param>
/// <param name="Root">The start rule's number.</param>
internal sealed record GrammarRules(int[][][] Rules, IReadOnlyList<string> Names, int Root);
