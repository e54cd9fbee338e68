namespace MoeOffload.Measurement.Synthesis;

/// <summary>Contains common words that are tokens of a synthetic vocabulary, so that an English prompt has about as many tokens as words.</summary>
internal static class CommonWords
{
    public static IReadOnlyList<string> All { get; } = """
        the be to of and a in that have it for not on with he as you do at this but his by from they we say her she or an will my one all
        would there their what so up out if about who get which go me when make can like time no just him know take people into year your
        good some could them see other than then now look only come its over think also back after use two how our work first well way even
        new want because any these give day most us is are was were been has had did does said made many more much such here where why
        man men woman women child children world life hand part place case week company system program question government number night
        point home water room mother area money story fact month lot right study book eye job word business issue side kind head house
        service friend father power hour game line end member law car city community name president team minute idea body information
        nothing ago lead social whether back watch together follow around parent face others level office door health person art war history
        party within result change morning reason research girl guy moment air teacher force education tell ask feel try leave call need
        become put mean keep let begin help talk turn start might show hear play run move live believe bring happen must write provide sit
        stand lose pay meet include continue set learn understand speak read spend grow open walk win offer remember love consider appear buy
        wait serve die send expect build stay fall cut reach kill remain long great little own old big high different small large next early
        young important few public bad same able last three four five six seven eight nine ten hundred thousand million every each both
        between under while during before without against among through should may shall very still never always often again too down off
        explain describe list summarize compare translate function functions code python calculate compute number numbers algorithm data
        model models machine learning neural network networks deep language expert experts layer layers token tokens memory speed fast slow
        quantum computing computer computers simple terms detailed detail details technical explanation essay article paragraph poem haiku
        AI GPU CPU artificial intelligence software hardware science physics chemistry biology mathematics climate energy future past
        present recursive recursively fibonacci sort sorting search tree graph string array example examples using used uses input output
        analysis theory method methods process processes problem problems solution solutions impact effect effects modern human humans
        society economy economic industry technology technologies development challenge challenges potential benefits risks applications
        current robot robots paint painting learned color colors river mountain forest ocean island animal dog cat bird tree sun moon star
        space ship travel journey adventure dream discover discovery short once upon king queen dragon village summer winter spring
        comprehensive including discuss sections section conclusion introduction key concepts concept principles principle works training
        optimization gradient descent distributed systems architecture performance efficient efficiently parallel attention transformer
        mixture sparse dense weight weights experts offload offloading device devices server client request response answer answers
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).ToArray();
}
