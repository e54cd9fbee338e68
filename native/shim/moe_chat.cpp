// Chat templates, tool calls and JSON schemas: a text-based interface to llama.cpp's common_chat.
#include "moe_guard.h"
#include "moe_lazy_grammar.h"
#include "moe_shim.h"

#include "chat.h"
#include "chat-peg-parser.h"
#include "common.h"
#include "json.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

struct moe_text {
    std::string value;
};

struct moe_chat {
    common_chat_templates_ptr templates;
};

struct moe_chat_parser {
    common_chat_parser_params params;
};

namespace {

moe_status give(std::string value, moe_text ** text) {
    *text = new moe_text{ std::move(value) };
    return MOE_STATUS_OK;
}

// Returns why the first n tokens of a template cannot be parsed, or an empty string if they can.
std::string parse_error(const jinja::lexer_result & source, size_t n) {
    try {
        jinja::parse_from_tokens({ { source.tokens.begin(), source.tokens.begin() + n }, source.source });
        return "";
    } catch (const std::exception & e) {
        return e.what();
    }
}

// Some errors of the parser have no location. It is the last token of the shortest beginning that has the error.
std::string place_of(const std::string & error, const jinja::lexer_result & source) {
    size_t least = 1;
    size_t most  = source.tokens.size();
    while (least < most) {
        const size_t middle = least + (most - least) / 2;
        if (parse_error(source, middle) == error) {
            most = middle;
        } else {
            least = middle + 1;
        }
    }
    const std::string before = source.source.substr(0, most > 0 ? source.tokens[most - 1].pos : 0);
    const size_t      line   = std::count(before.begin(), before.end(), '\n') + 1;
    const size_t      column = before.size() - (before.rfind('\n') == std::string::npos ? 0 : before.rfind('\n') + 1) + 1;
    return " at line " + std::to_string(line) + ", column " + std::to_string(column);
}

// common_chat_templates_init only logs the text of a parse error, and ignores a tool template that has one.
void check_template(const std::string & source) {
    if (source.empty() || source == "chatml") {
        return;
    }
    const jinja::lexer_result tokens = jinja::lexer().tokenize(source);
    const std::string         error  = parse_error(tokens, tokens.tokens.size());
    if (!error.empty()) {
        const bool has_place = error.find('\n') != std::string::npos;
        throw std::runtime_error(has_place ? error : error + place_of(error, tokens));
    }
}

std::string own_template(const llama_model * model, const char * name) {
    const char * source = llama_model_chat_template(model, name);
    return source != nullptr ? source : "";
}

common_chat_templates_inputs read_request(const common_json & request, const common_chat_templates * templates) {
    common_chat_templates_inputs inputs;
    inputs.messages            = common_chat_msgs_parse_oaicompat(request.at("messages"));
    inputs.tools               = common_chat_tools_parse_oaicompat(request.value("tools", common_json()));
    inputs.tool_choice         = common_chat_tool_choice_parse_oaicompat(request.value("tool_choice", "auto"));
    inputs.reasoning_format    = common_reasoning_format_from_name(request.value("reasoning_format", "auto"));
    inputs.enable_thinking     = request.value("enable_thinking", true);
    inputs.parallel_tool_calls = request.contains("parallel_tool_calls")
        ? request.at("parallel_tool_calls").get<bool>()
        : common_chat_templates_get_caps(templates)["supports_parallel_tool_calls"];
    if (request.contains("json_schema")) {
        inputs.json_schema = request.at("json_schema").dump();
    }
    if (request.contains("template_arguments")) {
        for (const auto & [name, value] : request.at("template_arguments").items()) {
            inputs.chat_template_kwargs[name] = value.dump();
        }
    }
    return inputs;
}

common_json write_triggers(const std::vector<common_grammar_trigger> & triggers) {
    common_json result = common_json::array();
    for (const auto & trigger : triggers) {
        result.push_back({ { "type", (int) trigger.type }, { "value", trigger.value }, { "token", trigger.token } });
    }
    return result;
}

common_json write_rendered(const common_chat_params & params) {
    return {
        { "prompt", params.prompt },
        { "format", (int) params.format },
        { "parser", params.parser },
        { "grammar", params.grammar },
        { "grammar_lazy", params.grammar_lazy },
        { "grammar_triggers", write_triggers(params.grammar_triggers) },
        { "generation_prompt", params.generation_prompt },
        { "supports_thinking", params.supports_thinking },
        { "thinking_start_tag", params.thinking_start_tag },
        { "thinking_end_tags", params.thinking_end_tags },
        { "preserved_tokens", params.preserved_tokens },
        { "additional_stops", params.additional_stops },
    };
}

common_json write_message(const common_chat_msg & message) {
    common_json calls = common_json::array();
    for (const auto & call : message.tool_calls) {
        calls.push_back({ { "id", call.id }, { "name", call.name }, { "arguments", call.arguments } });
    }
    return {
        { "content", message.render_content() },
        { "reasoning_content", message.reasoning_content },
        { "tool_calls", calls },
    };
}

// llama.cpp's mapper drops a call that is closed before it has a name, but keeps a pointer to it and writes what comes next through that.
class answer_mapper : public common_chat_peg_mapper {
public:
    using common_chat_peg_mapper::common_chat_peg_mapper;

    void map(const common_peg_ast_node & node) override {
        using tags = common_chat_peg_builder;
        if (node.tag == tags::TOOL_OPEN) {
            state = call_state::unnamed;
        } else if (state == call_state::dropped && node.tag != tags::REASONING && node.tag != tags::CONTENT) {
            return;
        } else if (node.tag == tags::TOOL_NAME && state == call_state::unnamed) {
            state = call_state::named;
        } else if (node.tag == tags::TOOL_CLOSE && state == call_state::unnamed) {
            state = call_state::dropped;
        }
        common_chat_peg_mapper::map(node);
    }

private:
    enum class call_state { none, unnamed, named, dropped };

    call_state state = call_state::none;
};

// Parses as common_chat_parse does, but with the mapper above.
common_chat_msg parse_answer(const std::string & answer, bool is_partial, const common_chat_parser_params & params) {
    const bool has_own_mapper = params.format == COMMON_CHAT_FORMAT_PEG_GEMMA4 || params.format == COMMON_CHAT_FORMAT_PEG_MINIMAX_M3;
    if (params.parser.empty() || has_own_mapper) {
        return common_chat_parse(answer, is_partial, params);
    }
    const std::string             text = params.generation_prompt + answer;
    common_peg_parse_context      context(text, COMMON_PEG_PARSE_FLAG_LENIENT);
    const common_peg_parse_result result = params.parser.parse(context);
    if (result.fail() && !(is_partial && result.end > 0)) {
        throw std::runtime_error("the answer does not match the format " + std::string(common_chat_format_name(params.format)));
    }
    common_chat_msg message;
    message.role = "assistant";
    answer_mapper(message).from_ast(context.ast, result);
    return message;
}

std::vector<llama_token> tokens_of(const llama_vocab * vocab, const std::string & text) {
    return common_tokenize(vocab, text, /* add_special */ false, /* parse_special */ true);
}

// Returns the end of the prompt, which is part of the answer. Some vocabularies add a space before a text, which is not part of it.
std::vector<llama_token> generation_prompt_of(const llama_vocab * vocab, const std::string & text) {
    std::vector<llama_token> tokens = tokens_of(vocab, text);
    if (!tokens.empty()) {
        const std::string first = common_token_to_piece(vocab, tokens[0], true);
        if (!first.empty() && std::isspace((unsigned char) first[0]) && !std::isspace((unsigned char) text[0])) {
            tokens.erase(tokens.begin());
        }
    }
    return tokens;
}

lazy_grammar_options lazy_options(const llama_vocab * vocab, const common_json & rendered) {
    lazy_grammar_options options;
    for (const auto & trigger : rendered.at("grammar_triggers")) {
        const std::string value = trigger.at("value").get<std::string>();
        switch ((common_grammar_trigger_type) trigger.at("type").get<int>()) {
            case COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN:
                options.tokens.push_back(trigger.at("token").get<int>());
                break;
            case COMMON_GRAMMAR_TRIGGER_TYPE_WORD: {
                const std::vector<llama_token> tokens = tokens_of(vocab, value);
                if (tokens.size() == 1) {
                    options.tokens.push_back(tokens[0]);
                } else {
                    options.words.push_back(value);
                }
                break;
            }
            case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN:
                options.patterns.push_back(value);
                break;
            case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL:
                options.patterns.push_back("^(?:" + value + ")$");
                break;
        }
    }

    const std::string start = rendered.at("thinking_start_tag").get<std::string>();
    if (!start.empty()) {
        options.thinking_start = tokens_of(vocab, start);
        for (const auto & end : rendered.at("thinking_end_tags")) {
            options.thinking_ends.push_back(tokens_of(vocab, end.get<std::string>()));
        }
    }
    options.prompt = generation_prompt_of(vocab, rendered.at("generation_prompt").get<std::string>());
    return options;
}

} // namespace

moe_status moe_text_get(const moe_text * text, const char ** data, size_t * size, char * error, size_t error_size) {
    if (text == nullptr || data == nullptr || size == nullptr) {
        return invalid(error, error_size, "text, data and size must not be NULL");
    }
    *data = text->value.data();
    *size = text->value.size();
    return MOE_STATUS_OK;
}

moe_status moe_text_free(moe_text * text, char * error, size_t error_size) {
    return guarded(error, error_size, [&] {
        delete text;
        return MOE_STATUS_OK;
    });
}

moe_status moe_chat_init(const llama_model * model, const char * source, moe_chat ** chat, char * error, size_t error_size) {
    if (model == nullptr || chat == nullptr) {
        return invalid(error, error_size, "model and chat must not be NULL");
    }
    *chat = nullptr;
    return guarded(error, error_size, [&] {
        const std::string given = source != nullptr ? source : "";
        if (given.empty()) {
            const std::string plain    = own_template(model, nullptr);
            const std::string tool_use = own_template(model, "tool_use");
            if (plain.empty() && tool_use.empty()) {
                return invalid(error, error_size, "the model has no chat template");
            }
            check_template(plain);
            check_template(tool_use);
        } else {
            check_template(given);
        }
        auto result       = std::make_unique<moe_chat>();
        result->templates = common_chat_templates_init(model, given);
        *chat             = result.release();
        return MOE_STATUS_OK;
    });
}

moe_status moe_chat_free(moe_chat * chat, char * error, size_t error_size) {
    return guarded(error, error_size, [&] {
        delete chat;
        return MOE_STATUS_OK;
    });
}

moe_status moe_chat_describe(const moe_chat * chat, moe_text ** description, char * error, size_t error_size) {
    if (chat == nullptr || description == nullptr) {
        return invalid(error, error_size, "chat and description must not be NULL");
    }
    *description = nullptr;
    return guarded(error, error_size, [&] {
        const common_json json = {
            { "source", common_chat_templates_source(chat->templates.get()) },
            { "tool_use_source", common_chat_templates_source(chat->templates.get(), "tool_use") },
            { "caps", common_chat_templates_get_caps(chat->templates.get()) },
        };
        return give(json.dump_safe(), description);
    });
}

moe_status moe_chat_render(const moe_chat * chat, const char * request, moe_text ** rendered, char * error, size_t error_size) {
    if (chat == nullptr || request == nullptr || rendered == nullptr) {
        return invalid(error, error_size, "chat, request and rendered must not be NULL");
    }
    *rendered = nullptr;
    return guarded(error, error_size, [&] {
        const common_chat_templates_inputs inputs = read_request(common_json::parse(request), chat->templates.get());
        return give(write_rendered(common_chat_templates_apply(chat->templates.get(), inputs)).dump_safe(), rendered);
    });
}

moe_status moe_chat_sampler(
        const llama_vocab * vocab, const char * rendered, llama_sampler ** sampler, char * error, size_t error_size) {
    if (vocab == nullptr || rendered == nullptr || sampler == nullptr) {
        return invalid(error, error_size, "vocab, rendered and sampler must not be NULL");
    }
    *sampler = nullptr;
    return guarded(error, error_size, [&] {
        const common_json json    = common_json::parse(rendered);
        const std::string grammar = json.at("grammar").get<std::string>();
        if (grammar.empty()) {
            return MOE_STATUS_OK;
        }
        if (json.at("grammar_lazy").get<bool>()) {
            *sampler = lazy_grammar_init(vocab, grammar, lazy_options(vocab, json));
        } else {
            *sampler = llama_sampler_init_grammar(vocab, grammar.c_str(), "root");
        }
        if (*sampler == nullptr) {
            return failed(error, error_size, "the grammar does not parse");
        }
        if (!json.at("grammar_lazy").get<bool>()) {
            std::unique_ptr<llama_sampler, decltype(&llama_sampler_free)> owner(std::exchange(*sampler, nullptr), llama_sampler_free);
            for (const llama_token token : generation_prompt_of(vocab, json.at("generation_prompt").get<std::string>())) {
                llama_sampler_accept(owner.get(), token);
            }
            *sampler = owner.release();
        }
        return MOE_STATUS_OK;
    });
}

moe_status moe_chat_parser_init(const char * rendered, moe_chat_parser ** parser, char * error, size_t error_size) {
    if (rendered == nullptr || parser == nullptr) {
        return invalid(error, error_size, "rendered and parser must not be NULL");
    }
    *parser = nullptr;
    return guarded(error, error_size, [&] {
        const common_json json           = common_json::parse(rendered);
        auto              result         = std::make_unique<moe_chat_parser>();
        result->params.format            = (common_chat_format) json.at("format").get<int>();
        result->params.generation_prompt = json.at("generation_prompt").get<std::string>();
        const std::string arena          = json.at("parser").get<std::string>();
        if (!arena.empty()) {
            result->params.parser.load(arena);
        }
        *parser = result.release();
        return MOE_STATUS_OK;
    });
}

moe_status moe_chat_parser_free(moe_chat_parser * parser, char * error, size_t error_size) {
    return guarded(error, error_size, [&] {
        delete parser;
        return MOE_STATUS_OK;
    });
}

moe_status moe_chat_parse(
        const moe_chat_parser * parser, const char * answer, size_t answer_size, bool is_partial,
        moe_text ** message, char * error, size_t error_size) {
    if (parser == nullptr || answer == nullptr || message == nullptr) {
        return invalid(error, error_size, "parser, answer and message must not be NULL");
    }
    *message = nullptr;
    return guarded(error, error_size, [&] {
        const common_chat_msg parsed = parse_answer(std::string(answer, answer_size), is_partial, parser->params);
        return give(write_message(parsed).dump_safe(), message);
    });
}
