using System.Text;
using FluentAssertions;
using MoeOffload.Inference.Grammars;
using NUnit.Framework;

namespace MoeOffload.Tests.Sampling;

[TestFixture]
public sealed class GrammarCheckTests
{
    private const string Json = """
        root   ::= object
        value  ::= object | array | string | number | ("true" | "false" | "null") ws

        object ::=
          "{" ws (
                    string ":" ws value
            ("," ws string ":" ws value)*
          )? "}" ws

        array  ::= "[" ws ( value ("," ws value)* )? "]" ws # a comment
        string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
        number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
        ws     ::= | " " | "\n" [ \t]{0,20}
        """;

    [TestCase(Json)]
    [TestCase("root ::= \"a\"")]
    [TestCase("root ::= \"a\"\r\nx ::= [^\\]]\r\n")]
    [TestCase("# only a comment\nroot ::= (\n  \"a\" |\n  \"b\"\n)\n")]
    [TestCase("root ::= ")]
    [TestCase("root ::= \"\" | [] \"é😀\"")]
    [TestCase("root ::= <think> !<[7]>* <|end|>")]
    [TestCase("root ::= ([a-z]*)* x\nx ::= [x-]{2,} .{0}")]
    [TestCase("root ::= \"a\"{0,2000} \"b\"{3,2001} \"c\"{2000}")]
    [TestCase("root ::= e\ne ::= t (\"+\" t)*\nt ::= \"(\" e \")\" | [0-9]+")]
    [TestCase("root ::= \"x\" root | \"\"")]
    [TestCase("root ::= gone\nroot ::= \"a\"")]
    public void Sound_grammars_are_taken(string grammar) => Refusal(grammar).Should().BeNull();

    [TestCase("root", "line 1, column 5: ::= is expected*")]
    [TestCase("::= \"a\"", "line 1, column 1: a rule's name is expected")]
    [TestCase("root ::= \"a", "line 1, column 10: this literal is not closed")]
    [TestCase("root ::= \"a\"\nx ::= [a-", "line 2, column 7: this character class is not closed")]
    [TestCase("root ::= \"\\q\"", "line 1, column 11: this is not a valid escape*")]
    [TestCase("root ::= \"\\x1\"", "line 1, column 11: this escape needs 2 hexadecimal digits")]
    [TestCase("root ::= \"\\", "line 1, column 11: this is not a valid escape*")]
    [TestCase("root ::= (\"a\"", "line 1, column 10: this parenthesis is not closed")]
    [TestCase("root ::= (\"a\" ::=", "line 1, column 15: ')' or another part*")]
    [TestCase("root ::= \"a\")", "line 1, column 13: a new line or the end*")]
    [TestCase("root ::= *", "line 1, column 10: there is nothing to repeat before this")]
    [TestCase("root ::= []+", "line 1, column 12: there is nothing to repeat before this")]
    [TestCase("root ::= \"a\"{", "line 1, column 14: a number is expected after {")]
    [TestCase("root ::= \"a\"{1;2}", "line 1, column 15: '}' is expected*")]
    [TestCase("root ::= \"a\"{2001}", "line 1, column 13: the number of repetitions exceeds 2000*")]
    [TestCase("root ::= \"a\"{50}{50}", "line 1, column 17: nested repetitions*")]
    [TestCase("root ::= <a", "line 1, column 10: this token is not closed*")]
    [TestCase("root ::= <[a]>", "line 1, column 12: a token id is expected*")]
    [TestCase("root ::= !a", "line 1, column 11: '<' is expected after '!'")]
    [TestCase("root ::= x", "line 1, column 10: the rule 'x' is not defined")]
    [TestCase("start ::= \"a\"", "it has no rule 'root'*GrammarRoot")]
    [TestCase("root ::= \"a\"\0", "character 13 is NUL*")]
    [TestCase("root ::= root \"a\" | \"b\"", "rule 'root' refers to itself*(left recursion)*")]
    [TestCase("root ::= \"\" x\nx ::= (\"a\" | ) x", "rule 'x' refers to itself*")]
    public void Malformed_grammars_are_refused_with_place_and_reason(string grammar, string message) =>
        Refusal(grammar).Should().Match(message);

    [TestCase("root ::= \"a\"{3,1}", "line 1, column 13: the minimum number of repetitions, 3, is greater than the maximum, 1*", TestName = "An_endless_expansion_is_refused")]
    [TestCase("root ::= x\nx ::= y x\ny ::= z\nz ::= ", "rule 'root' can never match a character*", TestName = "A_rule_that_takes_nothing_for_ever_is_refused")]
    [TestCase("root ::= \"a\" x\nx ::= y x \"b\" | \"c\"\ny ::= z\nz ::= ", "rule 'x' refers to itself*", TestName = "A_rule_that_grows_for_ever_is_refused")]
    public void Grammars_on_which_llama_cpp_would_end_the_process_are_refused(string grammar, string message) =>
        Refusal(grammar).Should().Match(message);

    [Test]
    public void Parentheses_nested_too_deep_for_llama_cpps_stack_are_refused()
    {
        Refusal("root ::= " + new string('(', 256) + "\"a\"" + new string(')', 256)).Should().BeNull();
        Refusal("root ::= " + new string('(', 100_000)).Should().Match("line 1, column 266: the parentheses are nested 257*");
    }

    [Test]
    public void Rules_that_begin_with_one_another_too_deep_for_llama_cpps_stack_are_refused()
    {
        Refusal(Chain(2_990)).Should().BeNull();
        Refusal(Chain(3_010)).Should().Match("rule 'r*' begins with more than 3000 nested rules*");

        static string Chain(int length) => Rules(length, next => next) + "r" + length + " ::= \"a\"";
    }

    [Test]
    public void Rules_that_begin_in_too_many_ways_are_refused()
    {
        Refusal(Rules(12, next => $"{next} \"1\" | {next} \"2\"") + "r12 ::= \"a\"").Should().BeNull();
        Refusal(Rules(18, next => $"{next} \"1\" | {next} \"2\"") + "r18 ::= \"a\"").Should().Match("rule * can begin in more than 100000 ways*");
        Refusal(Rules(60, next => $"{next} \"1\" | {next} \"2\"") + "r60 ::= \"a\"").Should().Match("rule * begins with rules that branch*");
    }

    [Test]
    public void Grammars_that_repetitions_multiply_too_far_are_refused()
    {
        Refusal("root ::= " + new string('.', 300) + "{2000}").Should().BeNull("the dots are items of their own");
        Refusal("root ::= \"" + new string('a', 300) + "\"{2000}").Should().Match("line 1, column 312: *500000 symbols*");
        Refusal("root ::= " + string.Concat(Enumerable.Repeat(".{0,2000}", 1000))).Should().Match("*500000 symbols*");
        Refusal(new string('#', (1 << 20) + 1)).Should().Match("it has 1048577 characters*");
    }

    private static string Rules(int length, Func<string, string> body)
    {
        var text = new StringBuilder("root ::= r0\n");
        for (var i = 0; i < length; i++)
        {
            text.Append('r').Append(i).Append(" ::= ").Append(body($"r{i + 1}")).Append('\n');
        }

        return text.ToString();
    }

    private static string? Refusal(string grammar)
    {
        try
        {
            GrammarCheck.Check(grammar, "root");
            return null;
        }
        catch (FormatException error)
        {
            return error.Message;
        }
    }
}
