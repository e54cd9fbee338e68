// A grammar that holds from a trigger on.
#ifndef MOE_LAZY_GRAMMAR_H
#define MOE_LAZY_GRAMMAR_H

#include "llama.h"

#include <string>
#include <vector>

struct lazy_grammar_options {
    std::vector<llama_token> tokens;   // tokens that trigger it
    std::vector<std::string> words;    // texts that do
    std::vector<std::string> patterns; // ECMAScript patterns that do; a group says where the grammar begins

    // What a model thinks triggers nothing.
    std::vector<llama_token>              thinking_start;
    std::vector<std::vector<llama_token>> thinking_ends;
    std::vector<llama_token>              prompt; // the end of the prompt, in which the thinking may have begun
};

// As llama_sampler_init_grammar_lazy_patterns, which searches its patterns in all that was generated so far, by a regex engine that
// recurses for each character and ends the process where it repeats one long enough: this one searches the last characters only.
// NULL where the grammar does not parse.
llama_sampler * lazy_grammar_init(const llama_vocab * vocab, const std::string & grammar, lazy_grammar_options options);

#endif
