using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using MoeOffload.Inference.Automata;

namespace MoeOffload.Inference.Schemas;

/// <summary>
/// Represents a format of strings. What a grammar writes is a part of what the format allows: for example, no leap seconds, and no comments in
/// e-mail addresses.
/// </summary>
internal sealed class StringFormat
{
    private const string Label = "[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*";
    private const string Host = $"(?:{Label}\\.)*[A-Za-z][A-Za-z0-9]*";
    private const string Atom = "[A-Za-z0-9!#$%&'*+/=?\\^_`\\{|\\}~\\-]+";
    private const string Mail = $"{Atom}(?:\\.{Atom})*@(?:{Label}\\.)+[A-Za-z]{{2,}}";
    private const string PathCharacter = "(?:[A-Za-z0-9._~!$&'()*+,;=:@\\-]|%[0-9A-F][0-9A-F])";
    private const string Rest = $"(?:/{PathCharacter}*)*(?:\\?(?:{PathCharacter}|[/?])*)?(?:#(?:{PathCharacter}|[/?])*)?";
    private const string Uri = $"(?:[a-z][a-z0-9]{{1,20}}://{Host}(?::[1-9][0-9]{{0,3}})?{Rest}|urn:[a-z0-9][a-z0-9\\-]{{0,30}}[a-z0-9]:[A-Za-z0-9._~!$&'()*+,;=:@\\-]+)";
    private const string Days = "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))";
    private const string LeapYear = "(?:[0-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
    private const string Date = $"(?:[0-9]{{4}}-{Days}|{LeapYear}-02-29)";
    private const string Time = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,7})?(?:Z|[+\\-](?:0[0-9]|1[0-3]):[0-5][0-9])";
    private const string Clock = "T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)";
    private const string Duration = $"P(?:[0-9]+W|(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)(?:{Clock})?|{Clock})";
    private const string Byte = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    private const string Word = "[0-9a-fA-F]{1,4}";
    private const string Pointer = "(?:/(?:[^~/]|~[01])*)*";

    private static readonly Dictionary<string, StringFormat> s_formats = new(StringComparer.Ordinal)
    {
        ["date"] = new($"^(?!0000){Date}$"),
        ["time"] = new($"^{Time}$", "^(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]+)?(?:[Zz]|[+\\-](?:[01][0-9]|2[0-3]):[0-5][0-9])$"),
        ["date-time"] = new($"^(?!0000|9999-12-31|0001-01-01){Date}T{Time}$", $"^{Date}[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]+)?(?:[Zz]|[+\\-](?:[01][0-9]|2[0-3]):[0-5][0-9])$"),
        ["duration"] = new($"^{Duration.Replace("[0-9]+", "[0-9]{1,6}", StringComparison.Ordinal)}$", $"^{Duration}$"),
        ["uuid"] = new("^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"),
        ["ipv4"] = new($"^(?:{Byte}\\.){{3}}{Byte}$"),
        ["ipv6"] = new(
            $"^(?:(?:{Word}:){{7}}{Word}|{string.Join('|', Enumerable.Range(0, 7).Select(before => $"{Words(before)}::{Words(6 - before)}"))})$",
            text => !text.AsSpan().ContainsAny("%[]") && IPAddress.TryParse(text, out IPAddress? address) && address.AddressFamily == AddressFamily.InterNetworkV6),
        ["hostname"] = new($"^(?=.{{1,63}}$){Host}$", "^[A-Za-z0-9](?:[A-Za-z0-9\\-]{0,61}[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9\\-]{0,61}[A-Za-z0-9])?)*$"),
        ["email"] = new($"^(?=[^@]{{1,64}}@[^@]{{1,63}}$){Mail}$", "^(?:\"[^\"]+\"|[^@\\s.\"]+(?:\\.[^@\\s.\"]+)*)@(?:[A-Za-z0-9\\-]+(?:\\.[A-Za-z0-9\\-]+)*|\\[[^\\]\\s]+\\])$"),
        ["uri"] = new($"^{Uri}$", text => IsUri(text, UriKind.Absolute)),
        ["uri-reference"] = new($"^(?:{Uri}|/(?:{PathCharacter}+{Rest})?)$", text => IsUri(text, UriKind.RelativeOrAbsolute)),
        ["json-pointer"] = new($"^{Pointer}$"),
        ["relative-json-pointer"] = new($"^(?:0|[1-9][0-9]{{0,8}})(?:#|{Pointer})$"),
        ["uri-template"] = new($"^(?:{PathCharacter}|[/?#]|\\{{[A-Za-z0-9_]+\\}})*$"),
        ["regex"] = new(null, IsRegex),
    };

    private static readonly Dictionary<string, string> s_wider = new(StringComparer.Ordinal)
    {
        ["idn-email"] = "email",
        ["idn-hostname"] = "hostname",
        ["iri"] = "uri",
        ["iri-reference"] = "uri-reference",
    };

    private static readonly Lazy<Dfa> s_base64 = new(() => PatternReader.Compile("^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"));

    private readonly Lazy<Dfa>? _language;
    private readonly Func<string, bool> _isOf;

    private StringFormat(string pattern)
    {
        Lazy<Dfa> language = new(() => PatternReader.Compile(pattern));
        _language = language;
        _isOf = text => language.Value.Matches(text);
    }

    private StringFormat(string pattern, string check)
    {
        Lazy<Dfa> checker = new(() => PatternReader.Compile(check));
        _language = new Lazy<Dfa>(() => PatternReader.Compile(pattern));
        _isOf = text => checker.Value.Matches(text);
    }

    private StringFormat(string? pattern, Func<string, bool> isOf)
    {
        _language = pattern is null ? null : new Lazy<Dfa>(() => PatternReader.Compile(pattern));
        _isOf = isOf;
    }

    /// <summary>Gets the texts that a grammar can write, or null if it can write none.</summary>
    public Dfa? Language => _language?.Value;

    /// <summary>Gets the texts in base 64.</summary>
    public static Dfa Base64 => s_base64.Value;

    /// <summary>Gets the names of the formats that a grammar can write.</summary>
    public static IEnumerable<string> Names => s_formats.Keys.Where(name => s_formats[name]._language is not null).Concat(s_wider.Keys).Order(StringComparer.Ordinal);

    /// <summary>Returns a format, or null if JSON Schema does not define one of that name.</summary>
    public static StringFormat? Find(string name) => s_formats.GetValueOrDefault(s_wider.GetValueOrDefault(name, name));

    /// <summary>Determines whether a text has a format. The formats for other alphabets are not checked.</summary>
    public static bool Allows(string name, string text) => s_wider.ContainsKey(name) || Find(name)?._isOf(text) != false;

    private static string Words(int most) => most == 0 ? string.Empty : $"(?:{Word}(?::{Word}){{0,{most - 1}}})?";

    private static bool IsUri(string text, UriKind kind) =>
        text.All(character => character is > ' ' and < '\x7F' && !"\"<>\\^`{|}".Contains(character, StringComparison.Ordinal))
        && (kind != UriKind.Absolute || (text.IndexOf(':', StringComparison.Ordinal) is var colon and > 0 && text[..colon].All(it => char.IsAsciiLetterOrDigit(it) || it is '+' or '-' or '.')))
        && System.Uri.TryCreate(text, kind, out _);

    private static bool IsRegex(string text)
    {
        try
        {
            _ = new Regex(text, RegexOptions.ECMAScript);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
