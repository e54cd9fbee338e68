// Parses hostile answers of models, and hostile templates, with the shim's functions: moe-chat-fuzz MODEL TEMPLATES SECONDS [SEED]
//
// Answers are made of the pieces that the format of a template consists of: its tags, its string literals, valid calls, JSON and invalid UTF-8.
// Each case depends on the seed and its number alone. If one fails, its number and its answer are printed, and the program ends.
#include "llama.h"
#include "moe_shim.h"

#include <sanitizer/common_interface_defs.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <regex>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

struct format {
    std::string              name;
    std::string              source;
    std::vector<std::string> rendered;  // the results of moe_chat_render
    std::vector<std::string> answers;   // texts with valid calls
    std::vector<std::string> pieces;
};

struct counts {
    size_t parsed   = 0;
    size_t refused  = 0;
    size_t rejected = 0;  // templates
};

char        error[4096];
std::string current;  // describes the case that is running

const char * const tools = R"([
    {"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": {"type": "object", "properties": {
        "city": {"type": "string"}, "days": {"type": "integer"}, "exact": {"type": "boolean"}}, "required": ["city"]}}},
    {"type": "function", "function": {"name": "note", "description": "Notes", "parameters": {"type": "object", "properties": {
        "items": {"type": "array", "items": {"type": "string"}}, "at": {"type": "object", "properties": {"x": {"type": "number"}}}}}}}])";

const char * const user = R"({"role": "user", "content": "MARKER"})";

const char * const call = R"({"role": "assistant", "content": "", "reasoning_content": "Hm.", "tool_calls": [{"id": "abcdefghi", "type": "function",
    "function": {"name": "get_weather", "arguments": "{\"city\": \"Paris\", \"days\": 2, \"exact\": true}"}}]})";

const char * const result = R"({"role": "tool", "tool_call_id": "abcdefghi", "name": "get_weather", "content": "MARKER"})";

const std::vector<std::string> common_pieces = {
    "get_weather", "note", "city", "days", "Paris", "{", "}", "[", "]", "\"", "'", ":", ",", "\\", "\n", " ", "=", "(", ")", "null", "None", "True", "1e999",
    "-0", "\"city\": \"Paris\"", "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}", "{\"city\": \"", "\"id\": \"abcdefghi\"",
    "{\"x\": {\"x\": [", std::string(300, 'a'), std::string(64, '{'), std::string(64, '['), "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98\x80", std::string(1, '\0'),
    "\\u0000", "\\ud800", "<", ">", "</", "/>", "<think>", "</think>",
};

void report_case() {
    std::fprintf(stderr, "%s\n", current.c_str());
}

std::string text_of(moe_text * text) {
    const char * data = nullptr;
    size_t       size = 0;
    moe_text_get(text, &data, &size, error, sizeof(error));
    std::string value(data, size);
    moe_text_free(text, error, sizeof(error));
    return value;
}

// Returns the value of the first member "prompt" of an object in JSON.
std::string prompt_of(const std::string & json) {
    const std::string key = "\"prompt\":\"";
    size_t            at  = json.find(key);
    std::string       value;
    for (at = at == std::string::npos ? json.size() : at + key.size(); at < json.size() && json[at] != '"'; at++) {
        if (json[at] != '\\') {
            value += json[at];
        } else if (json[++at] == 'u') {
            value += (char) std::strtol(json.substr(at + 1, 4).c_str(), nullptr, 16);
            at += 4;
        } else {
            value += json[at] == 'n' ? '\n' : json[at] == 't' ? '\t' : json[at];
        }
    }
    return value;
}

std::string render(const moe_chat * chat, const std::string & request) {
    moe_text * rendered = nullptr;
    return moe_chat_render(chat, request.c_str(), &rendered, error, sizeof(error)) == MOE_STATUS_OK ? text_of(rendered) : "";
}

std::string request_of(const std::string & messages, const std::string & rest) {
    return "{\"messages\": [" + messages + "]" + rest + "}";
}

void add_matches(std::vector<std::string> & pieces, const std::string & text, const char * pattern) {
    const std::regex expression(pattern);
    for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end; ++match) {
        pieces.push_back(match->size() > 1 ? match->str(1) : match->str());
    }
}

bool read_format(const llama_model * model, const std::filesystem::path & path, format & read) {
    std::ifstream file(path, std::ios::binary);
    read.name = path.filename().string();
    read.source.assign(std::istreambuf_iterator<char>(file), {});
    moe_chat * chat = nullptr;
    if (moe_chat_init(model, read.source.c_str(), &chat, error, sizeof(error)) != MOE_STATUS_OK) {
        return false;
    }
    const std::string with_tools = std::string(", \"tools\": ") + tools;
    for (const char * options : { "", ", \"tool_choice\": \"required\"", ", \"parallel_tool_calls\": true", ", \"enable_thinking\": false",
                                  ", \"reasoning_format\": \"none\"" }) {
        read.rendered.push_back(render(chat, request_of(user, with_tools + options)));
    }
    read.rendered.push_back(render(chat, request_of(user, "")));
    read.rendered.push_back(render(chat, request_of(user, ", \"json_schema\": {\"type\": \"object\"}")));
    read.rendered.erase(std::remove(read.rendered.begin(), read.rendered.end(), ""), read.rendered.end());

    // What is between the user's message and the result of the tool is a valid answer, possibly with the tags around it.
    const std::string history = prompt_of(render(chat, request_of(std::string(user) + "," + call + "," + result, with_tools)));
    const size_t      from    = history.find("MARKER");
    const size_t      to      = history.rfind("MARKER");
    if (from < to && to != std::string::npos) {
        read.answers.push_back(history.substr(from + 6, to - from - 6));
    }
    moe_chat_free(chat, error, sizeof(error));

    read.pieces = common_pieces;
    for (const std::string & text : { read.source, history }) {
        add_matches(read.pieces, text, "<[^<>\\s{}%]{1,40}>");
        add_matches(read.pieces, text, "\\[/?[A-Z_]{2,20}\\]");
        add_matches(read.pieces, text, "'([^'\\n]{1,40})'");
    }
    std::sort(read.pieces.begin(), read.pieces.end());
    read.pieces.erase(std::unique(read.pieces.begin(), read.pieces.end()), read.pieces.end());
    return !read.rendered.empty();
}

class source_of_chance {
public:
    source_of_chance(uint64_t seed, uint64_t number) : random(seed * 1000003 + number) {}

    size_t below(size_t limit) {
        return limit == 0 ? 0 : random() % limit;
    }

    const std::string & one_of(const std::vector<std::string> & texts) {
        return texts[below(texts.size())];
    }

private:
    std::mt19937_64 random;
};

std::string make_answer(const format & format, source_of_chance & chance) {
    std::string answer = !format.answers.empty() && chance.below(2) == 0 ? chance.one_of(format.answers) : "";
    for (size_t i = chance.below(12); i > 0; i--) {
        const size_t at = chance.below(answer.size() + 1);
        switch (chance.below(5)) {
            case 0: answer.erase(at, chance.below(16)); break;
            case 1: answer.insert(at, answer.substr(chance.below(answer.size() + 1), chance.below(120))); break;
            case 2: answer.insert(at, chance.one_of(format.pieces)); break;
            default: answer += chance.one_of(format.pieces); break;
        }
    }
    return answer;
}

void parse(const moe_chat_parser * parser, const std::string & answer, bool is_partial, counts & counts) {
    moe_text * message = nullptr;
    if (moe_chat_parse(parser, answer.data(), answer.size(), is_partial, &message, error, sizeof(error)) == MOE_STATUS_OK) {
        text_of(message);
        counts.parsed++;
    } else {
        counts.refused++;
    }
}

void try_answer(const format & format, source_of_chance & chance, counts & counts) {
    const std::string answer = make_answer(format, chance);
    current += ", answer:\n" + answer;
    moe_chat_parser * parser = nullptr;
    if (moe_chat_parser_init(chance.one_of(format.rendered).c_str(), &parser, error, sizeof(error)) != MOE_STATUS_OK) {
        return;
    }
    for (int i = 0; i < 3; i++) {
        parse(parser, answer.substr(0, chance.below(answer.size() + 1)), true, counts);
    }
    parse(parser, answer, true, counts);
    parse(parser, answer, false, counts);
    moe_chat_parser_free(parser, error, sizeof(error));
}

void try_template(const llama_model * model, const format & format, source_of_chance & chance, counts & counts) {
    std::string source = format.source;
    for (size_t i = 1 + chance.below(4); i > 0; i--) {
        const size_t at = chance.below(source.size() + 1);
        if (chance.below(2) == 0) {
            source.erase(at, chance.below(40));
        } else {
            source.insert(at, source.substr(chance.below(source.size() + 1), chance.below(80)));
        }
    }
    current += ", template:\n" + source;
    moe_chat * chat = nullptr;
    if (moe_chat_init(model, source.c_str(), &chat, error, sizeof(error)) != MOE_STATUS_OK) {
        counts.rejected++;
        return;
    }
    const std::string rendered = render(chat, request_of(user, std::string(", \"tools\": ") + tools));
    moe_chat_free(chat, error, sizeof(error));
    moe_chat_parser * parser = nullptr;
    if (!rendered.empty() && moe_chat_parser_init(rendered.c_str(), &parser, error, sizeof(error)) == MOE_STATUS_OK) {
        const std::string answer = make_answer(format, chance);
        parse(parser, answer, true, counts);
        parse(parser, answer, false, counts);
        moe_chat_parser_free(parser, error, sizeof(error));
    }
}

} // namespace

int main(int argc, char ** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: moe-chat-fuzz MODEL TEMPLATES SECONDS [SEED]\n");
        return 2;
    }
    const uint64_t seed = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 1;
    __sanitizer_set_death_callback(report_case);
    llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);

    llama_model_params params = llama_model_default_params();
    params.vocab_only         = true;
    llama_model * model       = llama_model_load_from_file(argv[1], params);
    if (model == nullptr) {
        std::fprintf(stderr, "%s could not be loaded.\n", argv[1]);
        return 2;
    }

    std::vector<std::filesystem::path> paths;
    for (const auto & entry : std::filesystem::directory_iterator(argv[2])) {
        if (entry.path().extension() == ".jinja") {
            paths.push_back(entry.path());
        }
    }
    std::sort(paths.begin(), paths.end());
    std::vector<format> formats;
    for (const auto & path : paths) {
        current = "reading " + path.string();
        format read;
        if (read_format(model, path, read)) {
            formats.push_back(std::move(read));
        } else {
            std::printf("%s is left out: %s\n", path.filename().c_str(), error);
        }
    }
    if (formats.empty()) {
        std::fprintf(stderr, "%s contains no usable template.\n", argv[2]);
        return 2;
    }
    std::printf("%zu templates, seed %llu\n", formats.size(), (unsigned long long) seed);

    counts     counts;
    uint64_t   number = 0;
    const auto until  = std::chrono::steady_clock::now() + std::chrono::seconds(std::strtol(argv[3], nullptr, 10));
    for (; std::chrono::steady_clock::now() < until; number++) {
        source_of_chance chance(seed, number);
        const format &   format = formats[number % formats.size()];
        current                 = "case " + std::to_string(number) + " of seed " + std::to_string(seed) + ", " + format.name;
        alarm(60); // a case that never ends is a finding, too
        if (chance.below(8) == 0) {
            try_template(model, format, chance, counts);
        } else {
            try_answer(format, chance, counts);
        }
    }
    std::printf("%llu cases: %zu answers parsed, %zu refused, %zu templates rejected\n",
        (unsigned long long) number, counts.parsed, counts.refused, counts.rejected);
    llama_model_free(model);
    return 0;
}
