// A grammar that applies from a trigger onwards.
#ifndef MOE_LAZY_GRAMMAR_H
#define MOE_LAZY_GRAMMAR_H

#include "llama.h"

#include <string>
#include <vector>

struct lazy_grammar_options {
    std::vector<llama_token> tokens;   // tokens that trigger it
    std::vector<std::string> words;    // texts that do
    std::vector<std::string> patterns; // ECMAScript patterns that do; a group says where the grammar begins

    // The thinking of a model does not contain triggers.
    std::vector<llama_token>              thinking_start;
    std::vector<std::vector<llama_token>> thinking_ends;
    std::vector<llama_token>              prompt; // the end of the prompt, in which the thinking may have begun
};

// Like llama_sampler_init_grammar_lazy_patterns, except that only the last characters are searched. The original searches its patterns in
// everything that was generated so far, with a regex engine that recurses for each character and can overflow the stack.
// NULL if the grammar cannot be parsed.
llama_sampler * lazy_grammar_init(const llama_vocab * vocab, const std::string & grammar, lazy_grammar_options options);

#endif
