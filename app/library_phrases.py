"""How questions about the library itself are asked in English, German, French and Spanish: regular expressions.

Each is matched against a whole question, so that one which only begins like it stays an ordinary question. Slots:
<doc> and <other> are what it calls documents, <subject> what they are on, <words> words that are looked for, <what>
what is to be listed. Knows nothing of what is done with them.
"""

from __future__ import annotations

from rag.passages import Finding

_D = r"(?P<doc>.{1,160}?)"
_O = r"(?P<other>.{1,160}?)"
_S = r"(?P<subject>.{2,120}?)"
_W = r"(?P<words>.{2,120}?)"
_T = r"(?P<what>[^,.;:!?\"“”„«»]{3,60}?)"

_EN_N = (
    r"(?:documents?|docs?|files?|pdfs?|texts?|papers?|books?|reports?|articles?|manuals?|contracts?|letters?|e-?books?"
    r"|presentations?|slides?|spreadsheets?|essays?|stud(?:y|ies)|thes[ie]s|novels?|handbooks?|guides?|e-?mails?"
    r"|transcripts?)"
)
_EN_FILES = r"(?:other )?(?:files|documents|docs|pdfs|papers|books|texts|sources|articles|reports|contracts|manuals)"
_EN_ON = (
    rf"(?: (?:on|about|regarding|concerning|related to|dealing with|(?:that|which) (?:are about|deal with|talk"
    rf" about|mention"
    rf"|mentions|cover|discuss|contain|speak of))(?: the (?:topic|subject)(?: of)?)? {_S})"
)
_EN_PLACE = (
    r"(?: (?:in|inside) (?:this|the|my|our) (?:chat|collection|library|folder|conversation)| here| in here| in there)"
)
_EN_TOLD = (
    r"(?: (?:mentioned|named|listed|contained|given|found|used|that (?:are|is|appear|appears|occur)(?: mentioned)?))"
)
_DE_N = (
    r"(?:dokument(?:es?|s|en)?|datei(?:en)?|pdfs?|texte?[sn]?|b(?:uch|ücher)(?:e?s|n)?|berichte?[sn]?|artikels?"
    r"|artikeln"
    r"|handb(?:uch|ücher)(?:e?s|n)?|vertr(?:ag|äge)(?:e?s|n)?|briefe?[sn]?|aufs(?:atz|ätze)(?:es|n)?|studien?"
    r"|präsentation(?:en)?"
    r"|romane?[sn]?|unterlagen|folien|tabellen?|anleitung(?:en)?|e-?books?|e-?mails?|papiere?[sn]?)"
)
_DE_FILES = r"(?:anderen )?(?:dateien|dokumente|unterlagen|pdfs|texte|bücher|quellen|artikel|berichte|verträge|papiere)"
_DE_ON = rf"(?: (?:zum thema|zu dem thema|mit dem thema|über|zu|zum|zur|betreffend|mit|von|die (?:von|über)) {_S})"
_DE_PLACE = r"(?: in (?:diese[rm]|der|dem|meine[rm]) (?:chat|sammlung|bibliothek|ordner|gespräch)| hier| da| darin)"
_FR_N = (
    r"(?:documents?|fichiers?|pdfs?|textes?|livres?|rapports?|articles?|manuels?|contrats?|lettres?|présentations?"
    r"|études?|thèses?|romans?|guides?|courriels?|mémoires?|ouvrages?)"
)
_FR_FILES = r"(?:autres )?(?:fichiers|documents|pdfs?|textes|livres|sources|articles|rapports|contrats)"
_FR_ON = (
    rf"(?: (?:sur|à propos d[eu']|concernant|au sujet d[eu']|qui (?:parlent|traitent) d(?:e|u|es)|qui mentionnent"
    rf"|qui parlent d['’]) ?(?:le sujet d[eu'] ?)?{_S})"
)
_FR_PLACE = r"(?: dans (?:cette|la|ma|ce|le|mon) (?:collection|bibliothèque|dossier|chat|conversation)| ici)"
_ES_N = (
    r"(?:documentos?|archivos?|ficheros?|pdfs?|textos?|libros?|informes?|artículos?|manual(?:es)?|contratos?|cartas?"
    r"|presentaci(?:ón|ones)|estudios?|tesis|novelas?|guías?|correos?)"
)
_ES_FILES = r"(?:otros )?(?:archivos|documentos|ficheros|pdfs?|textos|libros|fuentes|artículos|informes|contratos)"
_ES_ON = (
    rf"(?: (?:sobre|acerca de|acerca del|que (?:hablan|tratan) (?:de|del|sobre)|que mencionan)"
    rf"(?: el tema(?: de)?)? {_S})"
)
_ES_PLACE = r"(?: en (?:esta|la|mi|este|el) (?:colección|biblioteca|carpeta|chat|conversación)| aquí)"

INVENTORY = (
    rf"(?:which|what) {_EN_FILES} (?:do i have|have i (?:got|added)|did i add|are there|are available|can you"
    rf" (?:see|read)"
    rf"|do you (?:have|see|know))(?: access to)?{_EN_PLACE}?{_EN_ON}?",
    rf"(?:which|what) {_EN_FILES} are{_EN_PLACE}{_EN_ON}?",
    rf"(?:which|what)(?: of)?(?: my| the| these)? {_EN_FILES} (?:are about|deal with|talk about|mention|discuss"
    rf"|speak of) {_S}",
    rf"(?:list|show(?: me)?|give me a list of|what are)(?: all| every)?(?: of)?(?: the| my| these)? {_EN_FILES}"
    rf"(?: (?:that )?i have| there are)?{_EN_PLACE}?{_EN_ON}?",
    r"what(?: is|'s|’s) in (?:this|the|my|our) (?:collection|library|folder)",
    rf"how many {_EN_FILES} (?:do i have|are there|have i added){_EN_PLACE}?{_EN_ON}?",
    rf"do i have (?:any |some )?(?:{_EN_FILES}|anything|something){_EN_PLACE}?{_EN_ON}",
    rf"welche {_DE_FILES} (?:habe ich|gibt es|sind(?= hier| da| in )|liegen(?= hier| da| in )|kennst du|siehst"
    rf" du){_DE_PLACE}?{_DE_ON}?",
    rf"welche (?:meiner |dieser |der )?{_DE_FILES} (?:handeln von|behandeln|erwähnen|sprechen von) {_S}",
    rf"(?:liste|zeige?|nenne)(?: mir)?(?: bitte)?(?: alle)?(?: meine| die)? {_DE_FILES}{_DE_PLACE}?{_DE_ON}?(?:"
    rf" auf| an)?",
    r"was (?:ist|liegt|steckt) in (?:dieser|der|meiner|diesem|dem|meinem) (?:sammlung|bibliothek|ordner)",
    r"was enthält (?:diese|die|meine|dieser|der|mein) (?:sammlung|bibliothek|ordner)",
    rf"wie viele {_DE_FILES} (?:habe ich|gibt es|sind(?= hier| da| in )){_DE_PLACE}?{_DE_ON}?",
    rf"habe ich (?:{_DE_FILES}|etwas|irgendetwas|was){_DE_PLACE}?{_DE_ON}",
    rf"quel(?:le)?s {_FR_FILES} (?:ai-je|est-ce que j['’]ai|y a-t-il|il y a|j['’]ai){_FR_PLACE}?{_FR_ON}?",
    rf"quel(?:le)?s {_FR_FILES} (?:parlent de|parlent du|traitent de|mentionnent) {_S}",
    rf"quel(?:le)?s {_FR_FILES} sont{_FR_PLACE}",
    rf"(?:liste[zr]?|montre[zr]?(?:-moi)?|affiche[zr]?)(?: tous| toutes)? (?:les|mes) {_FR_FILES}{_FR_PLACE}?{_FR_ON}?",
    r"(?:qu['’]y a-t-il|qu['’]est-ce qu['’]il y a) dans (?:cette|la|ma|ce|le|mon) (?:collection|bibliothèque|dossier)",
    r"que contient (?:cette|la|ma|ce|le|mon) (?:collection|bibliothèque|dossier)",
    rf"combien de {_FR_FILES} (?:ai-je|y a-t-il|est-ce que j['’]ai){_FR_PLACE}?{_FR_ON}?",
    rf"(?:ai-je|est-ce que j['’]ai) (?:(?:des |quelques )?{_FR_FILES}|quelque chose){_FR_ON}",
    rf"(?:qué|que|cuáles) {_ES_FILES} (?:tengo|hay|conoces){_ES_PLACE}?{_ES_ON}?",
    rf"(?:qué|que|cuáles) {_ES_FILES} (?:hablan de|tratan de|mencionan) {_S}",
    rf"(?:lista|listar|enumera|muestra|muéstrame|mostrar)(?: todos)? (?:los|mis) {_ES_FILES}{_ES_PLACE}?{_ES_ON}?",
    r"qué (?:hay en|contiene) (?:esta|la|mi|este|el) (?:colección|biblioteca|carpeta)",
    rf"cuántos {_ES_FILES} (?:tengo|hay){_ES_PLACE}?{_ES_ON}?",
    rf"(?:tengo|hay) (?:{_ES_FILES}|algo){_ES_ON}",
)

MENTIONS = (
    rf"where (?:is|are|was|were) {_W} mentioned(?: in {_D})?",
    rf"where (?:does|do|did|is|are) {_W} (?:appear|occur|stand|named|written|found|come up)(?: in {_D})?",
    rf"(?:(?:list|show|find|give)(?: me)? )?(?:every|all|each)(?: the| single)* (?:places?|passages?|pages?"
    rf"|sentences?|spots?)"
    rf" (?:that|which|where|in which|on which)(?: (?:mentions?|contains?|says?|names?))+ {_W}(?: in {_D})?",
    rf"(?:(?:list|show|find|give)(?: me)? )?(?:every|all|each)(?: the| single)* (?:places?|passages?|pages?|sentences?)"
    rf" (?:where|in which|on which) {_W} (?:is|are) mentioned(?: in {_D})?",
    rf"(?:list|show|find|give)(?: me)? (?:every|all|each)(?: the| single)* (?:mentions?|occurrences?|instances) of {_W}"
    rf"(?: in {_D})?",
    rf"(?:which|what) pages (?:mention|contain) {_W}",
    rf"on (?:which|what) pages? (?:is|are) {_W} mentioned(?: in {_D})?",
    rf"how (?:often|many times) (?:is|are|was) {_W} mentioned(?: in {_D})?",
    rf"wo (?:wird|werden|ist|sind) {_W}(?: (?:in|im) {_D})? erwähnt",
    rf"wo (?:kommt|kommen|steht|stehen|wird|werden) {_W}(?: (?:in|im) {_D})?(?: (?:vor|genannt))?",
    rf"(?:(?:zeige?|finde|nenne|liste)(?: mir)? )?(?:alle|jede) (?:stellen?|seiten?|sätze|passagen),? (?:an"
    rf" denen|in denen|auf denen"
    rf"|an der|auf der|wo|die) {_W} (?:erwähnt (?:wird|werden)|erwähnen|vorkommt|vorkommen|erwähnt|steht)",
    rf"(?:(?:zeige?|finde|nenne|liste)(?: mir)? )?(?:alle|jede) (?:erwähnung(?:en)?|stellen mit|vorkommen"
    rf"|fundstellen)(?: von| des| der)? "
    rf"{_W}(?: (?:in|im) {_D})?",
    rf"auf welchen seiten (?:wird|werden) {_W} erwähnt",
    rf"wie oft (?:wird|werden) {_W}(?: (?:in|im) {_D})? erwähnt",
    rf"où (?:est|sont) {_W} mentionnée?s?(?: dans {_D})?",
    rf"où {_W} (?:est|sont)-(?:ils?|elles?) mentionnée?s?(?: dans {_D})?",
    rf"(?:où|dans quels? passages?) (?:apparaît|apparaissent|trouve-t-on) {_W}(?: dans {_D})?",
    rf"(?:(?:montre|trouve|liste|cite)(?:[rz]|-moi)? )?(?:tous|toutes) les (?:passages|endroits|pages|phrases)"
    rf" (?:qui mentionnent {_W}"
    rf"|où (?P<words2>.{{2,120}}?) (?:est|sont) mentionnée?s?)",
    rf"(?:à|sur) quelles? pages? {_W} (?:est|sont)-(?:ils?|elles?) mentionnée?s?",
    rf"combien de fois {_W} (?:est|sont)-(?:ils?|elles?) mentionnée?s?(?: dans {_D})?",
    rf"dónde se (?:menciona|mencionan) (?:a |al )?{_W}(?: en {_D})?",
    rf"dónde (?:aparece|aparecen) {_W}(?: en {_D})?",
    rf"(?:(?:muestra|muéstrame|lista|encuentra|busca) )?todos los (?:lugares|pasajes|sitios|fragmentos)"
    rf" (?:que mencionan|donde se menciona|en los que se menciona) (?:a )?{_W}",
    rf"(?:(?:muestra|muéstrame|lista|encuentra|busca) )?todas las (?:páginas|frases|menciones) (?:que mencionan"
    rf"|donde se menciona|de)"
    rf" (?:a )?{_W}",
    rf"cuántas veces se menciona (?:a |al )?{_W}(?: en {_D})?",
    rf"en qué páginas se menciona (?:a |al )?{_W}",
)
QUOTED_ONLY = (
    r"where (?:does|do|did) |where (?:is|are) .* (?:named|written|found|stand|appear|occur|come up)\b|wo"
    r" (?:kommt|kommen|steht|stehen) "
    r"|wo (?:wird|werden) .* genannt|où apparai|où apparaî|où trouve|dans quels? passages? (?:app|tr)|dónde aparece"
)
"""Of these, only those whose words stand in quotation marks: "Where do penguins occur?" is an ordinary question."""

KINDS = {
    Finding.DATES: r"dates?|calendar dates|datumsangaben|datum|daten|fechas?",
    Finding.YEARS: r"years?|jahreszahl(?:en)?|jahre?|années?|ans|años?",
    Finding.AMOUNTS: (
        r"(?:money |monetary )?(?:amounts?|sums?)(?: of money)?|prices?|(?:geld)?betr[aä]ge?|geldsummen|preise?"
        r"|montants?|sommes?(?: d['’]argent)?|prix|importes?|montos?|precios?|cantidad(?:es)? de dinero|sumas?"
        r" de dinero"
    ),
    Finding.MAIL_ADDRESSES: (
        r"e-?mail(?: |-)?address(?:es)?|e-?mails?|mail addresses|e-?mail-?adressen?|mail-?adressen?"
        r"|adresses? (?:e-?mail|électroniques?|mail)|courriels|(?:direcciones|dirección) de (?:correo"
        r"|e-?mail)(?: electrónico)?"
        r"|correos electrónicos"
    ),
    Finding.PHONE_NUMBERS: (
        r"(?:tele)?phone(?: |-)?numbers?|numbers to call|(?:tele|ruf)(?:f|ph)?on-?nummern?|telefonnummern?|rufnummern?"
        r"|numéros? de téléphone|números? de teléfono|teléfonos"
    ),
    Finding.WEB_ADDRESSES: (
        r"urls?|links?|web ?(?:site)? ?(?:address(?:es)?|links?)|hyperlinks?|websites|internet-?adressen"
        r"|web-?adressen|webseiten"
        r"|liens?|adresses (?:web|internet)|enlaces?|direcciones web"
    ),
}

LISTS = (
    rf"(?:list|show|find|get|give|extract|collect|enumerate|name|tell)(?: me)? (?:all|every|each)(?: of)?(?: the"
    rf"| single)? {_T}"
    rf"{_EN_TOLD}?(?: (?:in|from|of|within|inside|throughout) {_D})?",
    rf"(?:liste?|nenne?|zeige?|finde?|gib|sammle|suche?|zähle?)(?: mir)? (?:alle|jede[sn]?|sämtliche) {_T}"
    rf"(?: (?:aus|in|im|von|des|der) {_D})?(?: auf| heraus| an)?",
    rf"(?:alle|sämtliche) {_T} (?:aus|in|im|von) {_D} (?:auflisten|nennen|zeigen|finden|heraussuchen|sammeln)",
    rf"(?:liste|énumère|cite|donne|extrais|trouve|relève|montre)(?:[rz]|-moi|-nous)? (?:tous|toutes|chaque)(?:"
    rf" les)? {_T}"
    rf"(?: (?:mentionnée?s?|citée?s?|contenue?s?))?(?: (?:dans|de|du|des) {_D})?",
    rf"(?:lista|enumera|extrae|dame|encuentra|busca|muestra|muéstrame|listar|enumerar|extraer)"
    rf" (?:todos|todas|cada)(?: los| las| una de las| uno de los)? {_T}"
    rf"(?: (?:mencionad[oa]s|que aparecen|que hay))?(?: (?:en|de|del) {_D})?",
)
"""What is listed may be anything, where a document is named as its place."""

_OF_KINDS = (
    rf"(?:list|show|find|get|give|extract|what are)(?: me)?(?: the| all the)? {_T}{_EN_TOLD}?"
    rf" (?:in|from|of|within|throughout) {_D}",
    rf"(?:which|what) {_T} (?:are (?:mentioned|named|listed|given|contained|there|found)|appear|occur|come up)"
    rf" (?:in|on) {_D}",
    rf"(?:which|what) {_T} does {_D} (?:mention|contain|name|list|give)",
    rf"welche {_T} (?:werden|sind|stehen|kommen|gibt es|finden sich|tauchen) (?:in|im) {_D}(?: (?:genannt"
    rf"|erwähnt|vor|auf|enthalten|angegeben))?",
    rf"welche {_T} (?:enthält|nennt|erwähnt) {_D}",
    rf"quel(?:le)?s {_T} (?:sont (?:mentionnée?s|citée?s|donnée?s)|apparaissent|figurent|y a-t-il|se trouvent)"
    rf" dans {_D}",
    rf"(?:liste|cite|donne|extrais|relève)(?:[rz]|-moi)? les {_T} (?:dans|de|du|des) {_D}",
    rf"qué {_T} (?:aparecen|se mencionan|hay|figuran|contiene) (?:en )?{_D}",
    rf"(?:lista|enumera|extrae|dame|muéstrame) l[oa]s {_T} (?:en|de|del) {_D}",
)
_K = f"(?P<what>{'|'.join(KINDS.values())})"
KIND_LISTS = tuple(phrase.replace(_T, _K) for phrase in (*LISTS, *_OF_KINDS))
"""Lists of what can be recognised by its form alone."""

SUMMARIES = (
    rf"(?:summari[sz]e|sum up|recap|outline)(?: for me)? {_D}",
    rf"(?:(?:give|write|make)(?: me)? )?(?:an? |the )?(?:short |brief |quick |detailed |concise |one-page"
    rf" )?(?:summary|overview|outline|tl;?dr)"
    rf" (?:of|for) {_D}",
    r"(?:(?:give|write)(?: me)? )?(?:an? )?(?:short |brief )?(?:summary|tl;?dr)(?P<whole>)",
    rf"what(?: is|'s|’s| are) {_D} (?:all )?about",
    rf"what (?:does|do) {_D} (?:talk about|deal with|say|cover)",
    rf"what are the (?:main|key|central|most important) (?:points?|ideas?|findings?|messages?|takeaways?|topics?"
    rf"|arguments?|themes?)"
    rf" (?:of|in|from) {_D}",
    rf"(?:what|which) topics (?:does|do) {_D} cover",
    rf"fasse?(?: mir| uns)? {_D} (?:(?:kurz|bitte|knapp|mal) )*(?:(?:in|auf|als)(?: \S+){{1,4}} )?zusammen",
    rf"(?:(?:gib|schreib|erstelle|mach)e?(?: mir)? )?(?:eine )?(?:kurze |knappe )?zusammenfassung (?:von |über "
    rf"|zu |für )?{_D}",
    rf"(?:mir )?{_D} (?:(?:kurz|bitte|knapp|mal) )*(?:(?:in|auf|als)(?: \S+){{1,4}} )?zusammenfassen",
    rf"(?:worum|um was) geht(?: es|'s)(?: denn)? (?:in |im |bei |beim )?{_D}",
    rf"wovon (?:handelt|handeln) {_D}",
    rf"was steht (?:in|im) {_D}",
    rf"was sind die (?:wichtigsten|zentralen) (?:punkte|aussagen|ergebnisse|gedanken|themen) (?:von |in |aus "
    rf"|des |der |im )?{_D}",
    rf"résume[zr]?(?:-moi|-nous)? {_D}",
    rf"(?:(?:fais|faites|donne|donnez|écris)(?:-moi)? )?(?:un )?(?:petit |court |bref )?résumé (?:de |du |des ){_D}",
    rf"de quoi (?:parle(?:nt)?|traite(?:nt)?|s['’]agit-il dans|est-il question dans) {_D}",
    rf"que (?:dit|disent|contient) {_D}",
    rf"quel(?:le)?s sont les (?:points|idées|conclusions|messages|thèmes) (?:clés?|principa(?:ux|les)"
    rf"|essentiel(?:le)?s) (?:de |du |des |dans ){_D}",
    rf"(?:resume|resumir|resúmeme|resuma) {_D}",
    rf"(?:(?:haz|hazme|dame|escribe|hacer|hacerme|darme) )?(?:un )?(?:breve |corto )?resumen (?:de |del ){_D}",
    rf"de qué (?:tratan?|hablan?|van?) {_D}",
    rf"qué dicen? {_D}",
    rf"cuáles son (?:los|las) (?:puntos|ideas|conclusiones|temas) (?:clave|principales|más importantes) (?:de "
    rf"|del |en ){_D}",
)

COMPARISONS = (
    rf"compare {_D}(?: (?:and|with|to|against) {_O})?(?: with each other)?",
    rf"(?:what(?: is|'s| are)|show me|list)? ?(?:the )?differences? between {_D}(?: and {_O})?",
    rf"how (?:do|does) {_D}(?: and {_O})? differ(?: from each other)?",
    rf"vergleiche? {_D}(?: (?:und|mit) {_O})?(?: miteinander)?",
    rf"(?:mir )?{_D}(?: (?:und|mit) {_O})? (?:miteinander )?vergleichen",
    rf"(?:was (?:ist|sind) )?(?:der |die )?unterschiede? zwischen {_D}(?: und {_O})?",
    rf"worin unterscheide(?:n|t) sich {_D}(?: (?:und|von) {_O})?",
    rf"compare[zr]? {_D}(?: (?:et|avec|à) {_O})?",
    rf"(?:quel(?:le)?s? (?:est|sont) )?(?:la |les )?différences? entre {_D}(?: et {_O})?",
    rf"compara(?:r|me)? {_D}(?: (?:y|con) {_O})?",
    rf"(?:cuál(?:es)? (?:es|son) )?(?:la |las )?diferencias? entre {_D}(?: y {_O})?",
)

_EN_MORE = r"(?:whole|entire|full|complete|attached|uploaded|added|new|present|current|two|three|long|short)"
_EN_HERE = (
    r"(?: here| above| (?:that |which )?i (?:just |have )?(?:added|dropped|uploaded|attached|gave you|sent(?: you)?))?"
)
ONE = (
    rf"(?:the contents? of )?(?:this|the|that|my)(?: {_EN_MORE})* {_EN_N}(?<!s){_EN_HERE}",
    rf"(?:den inhalt )?(?:dies(?:es|er|em|en|e)?|das|dem|den|die|der|des|mein(?:e[smrn]?)?|von diesem|vom|beim)"
    rf"(?: (?:ganzen?|gesamten?|angehängten?|neuen?))* {_DE_N}(?: hier)?",
    rf"(?:tout )?(?:le contenu (?:de |du ))?(?:ce|cet|cette|le|la|l['’]|mon|ma) ?(?:nouveau |nouvelle"
    rf" )?{_FR_N}(?<!s)(?:-ci)?(?: ici| entier| joint)?",
    rf"{_FR_N}(?<!s)",
    rf"{_DE_N}",
    rf"(?:todo )?(?:el contenu (?:de |del ))?(?:este|esta|el|la|ese|esa|mi) ?{_ES_N}(?<!s)(?: adjunt[oa])?",
    rf"{_ES_N}(?<!s)",
)
MANY = (
    rf"(?:all |both )?(?:of )?(?:these|the|those|both|my|all)(?: (?:of|the|my|these|those|{_EN_MORE}))*"
    rf" {_EN_N}(?<=s){_EN_HERE}",
    r"(?:dies(?:e[nr]?)|die|der|den|alle[nr]?|beide[nr]?|meine[nr]?)(?: (?:beiden|diese[nr]?|die|der|meine[nr]?"
    r"|zwei|drei))*"
    r" (?:dokumenten?|dateien|pdfs|texten?|büchern?|berichten?|artikeln?|verträgen?|unterlagen|briefen?|studien)",
    rf"(?:tous |toutes )?(?:ces|les|mes|des)(?: (?:deux|trois))? {_FR_N}(?<=s)",
    rf"(?:todos |todas |ambos |ambas )?(?:estos|estas|los|las|mis|esos|esas)(?: (?:dos|tres))? {_ES_N}(?<=s)",
    rf"ambos {_ES_N}",
)
BARE_ONE = (
    r"it|this|that|this one|the content|there|es|das|dies|ihn|sie|hier|darin|da|dieser|diese|ça|cela|ceci|celui-ci"
    r"|esto|eso|este|lo"
)
BARE_MANY = (
    r"these|those|them|both|both of (?:them|these)|these two|those two|the two|all of (?:it|this|them|these)|everything"
    r"|die beiden|diese beiden|beide|die zwei|alle|alles|diese zwei|ces deux|les deux|ceux-ci|tout|estos dos"
    r"|estas dos|los dos|las dos|ambos|todo"
)
NOUNS = rf"{_EN_N}|{_DE_N}|{_FR_N}|{_ES_N}"
LEADS = (
    r"^(?:(?:please|kindly|bitte|s['’]il (?:te|vous) pla[iî]t|por favor|ok(?:ay)?|hey|hi|hello|hallo|bonjour|hola"
    r"|so|now|then|also"
    r"|and|und|et|y)[,!.:]? )*"
    r"(?:(?:can|could|would|will) you (?:please |kindly |also )?|(?:kannst|könntest) du (?:bitte )?|(?:können"
    r"|könnten) sie (?:bitte )?"
    r"|(?:peux|pourrais)-tu (?:m['’]|me )?|(?:pouvez|pourriez)-vous (?:me )?|(?:puedes|podrías|puede|podría) "
    r"|i (?:want|would like|need)(?: you)? to (?:know |see )?|i['’]d like(?: you)? to (?:know |see )?"
    r")?(?:please )?(?:(?:tell|show) me (?=what|which|where|how)|sag mir,? |dis-moi |dime )?"
)
TAILS = (
    r"(?:,? (?:please|bitte|thanks|danke|briefly|shortly|in detail|kurz|knapp|brièvement|brevemente|s['’]il"
    r" (?:te|vous) pla[iî]t|svp|por favor"
    r"|for me|für mich|pour moi|para mí|(?:in|en|auf) (?:\w+ ){0,3}(?:sentences?|words?|paragraphs?|lines?"
    r"|points?|bullets?|sätzen|satz|worten"
    r"|wörtern|absätzen|stichpunkten|stichworten|phrases?|mots|paragraphes?|lignes|frases?|palabras|párrafos?"
    r"|líneas|puntos)"
    r"|(?:in|auf|en) (?:english|german|french|spanish|deutsch|englisch|französisch|spanisch|français|anglais"
    r"|allemand|espagnol|español|inglés"
    r"|alemán|francés)|as (?:a )?(?:bullet(?:ed)? )?(?:list|bullet points|bullets|table)|als (?:liste|tabelle"
    r"|stichpunkte)))$"
)
"""How long, in which language, in which form: the model reads that in the question itself."""
