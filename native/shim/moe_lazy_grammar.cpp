#include "moe_lazy_grammar.h"

#include "common.h"
#include "llama-grammar.h"
#include "llama-vocab.h"
#include "reasoning-budget.h"

#include <algorithm>
#include <climits>
#include <memory>
#include <regex>
#include <utility>

namespace {

// Longer triggers are not found.
constexpr size_t longest_trigger = 256;

struct grammar_deleter {
    void operator()(llama_grammar * grammar) const {
        llama_grammar_free_impl(grammar);
    }
};

struct sampler_deleter {
    void operator()(llama_sampler * sampler) const {
        llama_sampler_free(sampler);
    }
};

using grammar_ptr = std::unique_ptr<llama_grammar, grammar_deleter>;
using sampler_ptr = std::unique_ptr<llama_sampler, sampler_deleter>;

struct trigger_pattern {
    std::regex regex;
    bool       at_start; // found at the beginning of all that was generated only
};

struct lazy_grammar {
    const llama_vocab *          vocab;
    std::string                  text;
    lazy_grammar_options         options;
    std::vector<trigger_pattern> patterns;
    grammar_ptr                  grammar;
    sampler_ptr                  thinking; // null where the model does not think

    bool                                        triggered = false;
    std::string                                 tail;   // the last text, of at most longest_trigger bytes and a token
    bool                                        is_cut = false; // whether something was before it
    std::vector<std::pair<llama_token, size_t>> pieces; // the tokens of the tail, and the bytes of each

    bool is_thinking() const {
        if (thinking == nullptr) {
            return false;
        }
        const common_reasoning_budget_state state = common_reasoning_budget_get_state(thinking.get());
        return state != REASONING_BUDGET_IDLE && state != REASONING_BUDGET_DONE;
    }
};

grammar_ptr make_grammar(const llama_vocab * vocab, const std::string & text) {
    return grammar_ptr(llama_grammar_init_impl(vocab, text.c_str(), "root", /* lazy */ false, nullptr, 0, nullptr, 0));
}

sampler_ptr make_thinking(const llama_vocab * vocab, const lazy_grammar_options & options) {
    if (options.thinking_start.empty() || options.thinking_ends.empty()) {
        return nullptr;
    }
    sampler_ptr sampler(common_reasoning_budget_init(vocab, { options.thinking_start }, options.thinking_ends, {}, INT_MAX));
    for (const llama_token token : options.prompt) {
        llama_sampler_accept(sampler.get(), token);
    }
    return sampler;
}

// Returns where in the tail the grammar begins, or npos.
size_t find_trigger(const lazy_grammar & it) {
    for (const std::string & word : it.options.words) {
        const size_t at = it.tail.find(word);
        if (at != std::string::npos) {
            return at;
        }
    }
    const auto flags = it.is_cut ? std::regex_constants::match_not_bol : std::regex_constants::match_default;
    for (const trigger_pattern & pattern : it.patterns) {
        std::smatch match;
        if ((it.is_cut && pattern.at_start) || !std::regex_search(it.tail, match, pattern.regex, flags)) {
            continue;
        }
        for (size_t i = 1; i < match.size(); i++) {
            if (match.length(i) > 0) {
                return match.position(i);
            }
        }
        return match.position(0);
    }
    return std::string::npos;
}

// Passes the text from there on to the grammar. It can begin in the middle of a token.
void begin_at(lazy_grammar & it, size_t start) {
    it.triggered = true;
    size_t end = 0;
    for (const auto & [token, size] : it.pieces) {
        const size_t begin = std::max(end, start);
        end += size;
        if (end > start) {
            llama_grammar_accept_token(*it.grammar, token, it.tail.substr(begin, end - begin));
        }
    }
    it.pieces.clear();
    it.tail.clear();
}

void await_trigger(lazy_grammar & it, llama_token token) {
    if (std::find(it.options.tokens.begin(), it.options.tokens.end(), token) != it.options.tokens.end()) {
        it.triggered = true;
        llama_grammar_accept_impl(*it.grammar, token);
        return;
    }

    const std::string & piece = it.vocab->token_to_piece(token);
    it.tail += piece;
    it.pieces.emplace_back(token, piece.size());
    const size_t start = find_trigger(it);
    if (start != std::string::npos) {
        begin_at(it, start);
        return;
    }

    size_t dropped = 0;
    size_t bytes   = 0;
    while (it.tail.size() - bytes > longest_trigger) {
        bytes += it.pieces[dropped++].second;
    }
    if (dropped > 0) {
        it.is_cut = true;
        it.pieces.erase(it.pieces.begin(), it.pieces.begin() + dropped);
        it.tail.erase(0, bytes);
    }
}

void accept_one(lazy_grammar & it, llama_token token) {
    if (it.triggered) {
        llama_grammar_accept_impl(*it.grammar, token);
    } else {
        await_trigger(it, token);
    }
}

lazy_grammar & context_of(const llama_sampler * sampler) {
    return *(lazy_grammar *) sampler->ctx;
}

const char * name_of(const llama_sampler *) {
    return "lazy-grammar";
}

void accept(llama_sampler * sampler, llama_token token) {
    lazy_grammar & it           = context_of(sampler);
    const bool     was_thinking = it.is_thinking();
    if (it.thinking != nullptr) {
        llama_sampler_accept(it.thinking.get(), token);
    }
    if (!was_thinking) {
        accept_one(it, token);
        return;
    }
    if (it.is_thinking()) {
        return;
    }

    // The text that ends the thinking can itself be a trigger.
    const llama_tokens * end = common_reasoning_budget_get_end_match(it.thinking.get());
    if (end != nullptr) {
        for (const llama_token last : *end) {
            accept_one(it, last);
        }
    }
}

void apply(llama_sampler * sampler, llama_token_data_array * candidates) {
    const lazy_grammar & it = context_of(sampler);
    if (it.triggered && !it.is_thinking()) {
        llama_grammar_apply_impl(*it.grammar, candidates);
    }
}

void reset(llama_sampler * sampler) {
    lazy_grammar & it = context_of(sampler);
    it.grammar   = make_grammar(it.vocab, it.text);
    it.thinking  = make_thinking(it.vocab, it.options);
    it.triggered = false;
    it.is_cut    = false;
    it.tail.clear();
    it.pieces.clear();
}

llama_sampler * clone(const llama_sampler * sampler);

void free_context(llama_sampler * sampler) {
    delete (lazy_grammar *) sampler->ctx;
}

llama_sampler_i interface = {
    /* .name              = */ name_of,
    /* .accept            = */ accept,
    /* .apply             = */ apply,
    /* .reset             = */ reset,
    /* .clone             = */ clone,
    /* .free              = */ free_context,
    /* .backend_init      = */ nullptr,
    /* .backend_accept    = */ nullptr,
    /* .backend_apply     = */ nullptr,
    /* .backend_set_input = */ nullptr,
    /* .backend_reset     = */ nullptr,
    /* .copy_state        = */ nullptr,
};

llama_sampler * clone(const llama_sampler * sampler) {
    const lazy_grammar & from = context_of(sampler);
    auto copy      = std::make_unique<lazy_grammar>();
    copy->vocab     = from.vocab;
    copy->text      = from.text;
    copy->options   = from.options;
    copy->patterns  = from.patterns;
    copy->grammar   = grammar_ptr(llama_grammar_clone_impl(*from.grammar));
    copy->thinking  = sampler_ptr(from.thinking != nullptr ? llama_sampler_clone(from.thinking.get()) : nullptr);
    copy->triggered = from.triggered;
    copy->tail      = from.tail;
    copy->is_cut    = from.is_cut;
    copy->pieces    = from.pieces;
    return llama_sampler_init(&interface, copy.release());
}

} // namespace

llama_sampler * lazy_grammar_init(const llama_vocab * vocab, const std::string & grammar, lazy_grammar_options options) {
    auto it     = std::make_unique<lazy_grammar>();
    it->vocab   = vocab;
    it->text    = grammar;
    it->grammar = make_grammar(vocab, grammar);
    if (it->grammar == nullptr) {
        return nullptr;
    }
    for (const std::string & pattern : options.patterns) {
        it->patterns.push_back({ std::regex(pattern), !pattern.empty() && pattern.front() == '^' });
    }
    it->thinking = make_thinking(vocab, options);
    it->options  = std::move(options);
    return llama_sampler_init(&interface, it.release());
}
