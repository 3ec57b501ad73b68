"""Questions about the library itself are told from ordinary ones."""

from __future__ import annotations

import pytest

from app.library_questions import LibraryQuestion, Reference, Wish, called, library_question, named_in, reference_of
from rag.passages import Finding

NAMES = [
    ("annual_report_2021.pdf", "Annual Report 2021"),
    ("lease-contract.docx", "Lease"),
    ("pump-manual.pdf", "Operating manual for the P-200 pump"),
    ("letters.mbox", ""),
    ("french-revolution-notes.md", "Notes"),
]

INVENTORY = {
    "Which files do I have?": "",
    "What documents do I have on pumps?": "pumps",
    "what's in this collection?": "",
    "List all my documents": "",
    "Show me the files about the French Revolution.": "French Revolution",
    "Do I have anything about tax law?": "tax law",
    "How many PDFs are there?": "",
    "Which of my documents mention Napoleon?": "Napoleon",
    "Could you tell me which documents are in this library?": "",
    "Welche Dateien habe ich?": "",
    "Welche Dokumente gibt es zum Thema Steuern?": "Steuern",
    "Habe ich etwas über Photosynthese?": "Photosynthese",
    "Was ist in dieser Sammlung?": "",
    "Zeig mir alle Dokumente": "",
    "Quels documents ai-je sur la photosynthèse ?": "photosynthèse",
    "Qu'y a-t-il dans cette collection ?": "",
    "Liste mes fichiers": "",
    "¿Qué archivos tengo sobre impuestos?": "impuestos",
    "¿Cuántos documentos hay?": "",
    "Muéstrame todos los documentos": "",
}
EVERY = {
    "List every date in it": (Finding.DATES, ""),
    "list all e-mail addresses": (Finding.MAIL_ADDRESSES, ""),
    "Extract all phone numbers from this document, please": (Finding.PHONE_NUMBERS, ""),
    "Which dates are mentioned in the contract?": (Finding.DATES, ""),
    "Give me all the amounts of money in lease-contract.docx": (Finding.AMOUNTS, ""),
    "List all amounts of money in the lease": (Finding.AMOUNTS, ""),
    "Find all URLs in these files": (Finding.WEB_ADDRESSES, ""),
    'Where does "force majeure" appear?': (Finding.WORDS, "force majeure"),
    "Where is Einstein mentioned?": (Finding.WORDS, "Einstein"),
    "Every place that mentions Einstein": (Finding.WORDS, "Einstein"),
    "Find all mentions of the word deposit in this document": (Finding.WORDS, "deposit"),
    "How often is Napoleon mentioned?": (Finding.WORDS, "Napoleon"),
    "Liste alle Jahreszahlen in diesem Dokument auf": (Finding.YEARS, ""),
    "Welche Beträge werden im Vertrag genannt?": (Finding.AMOUNTS, ""),
    "Nenne alle Telefonnummern": (Finding.PHONE_NUMBERS, ""),
    "Wo wird Napoleon erwähnt?": (Finding.WORDS, "Napoleon"),
    "Alle Stellen, an denen Napoleon erwähnt wird": (Finding.WORDS, "Napoleon"),
    "Liste toutes les dates dans ce document": (Finding.DATES, ""),
    "Où est Napoléon mentionné ?": (Finding.WORDS, "Napoléon"),
    "Combien de fois Napoléon est-il mentionné ?": (Finding.WORDS, "Napoléon"),
    "Lista todas las fechas en este documento": (Finding.DATES, ""),
    "¿Dónde se menciona a Napoleón?": (Finding.WORDS, "Napoleón"),
    "Extrae todos los correos electrónicos del documento": (Finding.MAIL_ADDRESSES, ""),
}
WHOLE = (
    "Summarise this document",
    "summarize these documents in three sentences",
    "Can you please summarize the PDF?",
    "Give me a short summary of this file",
    "What is this document about?",
    "What is it about?",
    "What are the main points of the report?",
    "Summarise annual_report_2021.pdf",
    "Summarise the annual report",
    "List all the obligations in this contract",
    "Fasse dieses Dokument zusammen",
    "Fasse das Dokument in drei Sätzen zusammen",
    "Kannst du mir diese Datei zusammenfassen?",
    "Worum geht es in diesem Dokument?",
    "Wovon handelt das Buch?",
    "Résume ce document",
    "Peux-tu résumer ces documents en trois phrases ?",
    "De quoi parle ce livre ?",
    "Resume este documento",
    "Haz un resumen del documento, por favor",
    "¿De qué trata este libro?",
)
COMPARISONS = (
    "Compare these two",
    "Compare the two documents",
    "Compare lease-contract.docx and annual_report_2021.pdf",
    "What are the differences between these documents?",
    "Vergleiche die beiden Dokumente",
    "Worin unterscheiden sich diese Dateien?",
    "Compare ces deux documents",
    "Quelles sont les différences entre ces fichiers ?",
    "Compara estos dos documentos",
    "¿Cuáles son las diferencias entre los documentos?",
)
MORE = (
    "what documents are here",
    "Which papers do I have about climate change?",
    "show all files",
    "list my files please",
    "Do I have any documents about insurance?",
    "what's in my library?",
    "Which files mention Napoleon?",
    "Give me a list of all my documents",
    "Summarize all documents",
    "Please give me a brief summary of this PDF",
    "Could you summarise the attached report in five bullet points?",
    "What's the book about?",
    "What are the key findings of this paper?",
    "Summarise the pump manual",
    "Compare the annual report with the lease contract",
    "What is the difference between these two documents?",
    "Extract every phone number from these documents",
    "List all the dates mentioned in this contract",
    'Find every mention of "force majeure"',
    "Show me all passages that mention Napoleon",
    "How many times is Napoleon mentioned in this book?",
    "Kannst du dieses PDF bitte kurz zusammenfassen?",
    "Gib mir eine Zusammenfassung dieses Dokuments",
    "Welche Unterlagen habe ich zum Thema Versicherung?",
    "Liste meine Dateien auf",
    "Zeige alle Stellen, in denen Napoleon erwähnt wird",
    "Vergleiche diese beiden Dateien miteinander",
    "Liste alle E-Mail-Adressen aus diesen Dokumenten auf",
    "Wie oft wird Napoleon erwähnt?",
    "Fais un résumé de ce document",
    "Quels fichiers ai-je ?",
    "Compare ces deux fichiers",
    "Donne-moi toutes les adresses e-mail dans ces documents",
    "Résumez ce rapport, s'il vous plaît",
    "¿Qué documentos tengo?",
    "Resume estos documentos en español",
    "Compara los dos documentos",
    "Lista todos los números de teléfono",
    "¿Puedes hacer un resumen de este archivo?",
)
"""Any of the four kinds."""
ORDINARY = (
    "What are the payment terms?",
    "Which countries are mentioned as members of the treaty?",
    "List the members of the board",
    "Who is mentioned as the landlord?",
    "What is the total amount due?",
    "How many pages does the manual have?",
    "Where can I find the serial number?",
    "Which year was the company founded?",
    "Show me the table of revenues",
    "Can you explain the second paragraph of this document?",
    "What does this document say about termination?",
    "What is the document number?",
    "Give me a summary of the termination clause",
    "Summarize chapter 3",
    "What is chapter 2 about?",
    "Compare clause 4 with clause 7",
    "What is the difference between the P-200 and the P-300?",
    "Find the section on warranty",
    "List three reasons for the revolution",
    "What files should I back up?",
    "Do I have to register the documents?",
    "Which books does the author recommend?",
    "What documents does the tenant have to provide?",
    "Is there a date for the handover?",
    "What happened in 1789?",
    "Which documents are mentioned in the contract?",
    "Wann beginnt der Mietvertrag?",
    "Welche Dokumente muss der Mieter vorlegen?",
    "Wie viele Dokumente muss ich einreichen?",
    "Fasse die Ursachen der Revolution zusammen",
    "Vergleiche die Preise von 2020 und 2021",
    "Was ist in der Kaution enthalten?",
    "Wo steht die Seriennummer?",
    "Wo kann ich den Filter kaufen?",
    "Quelle est la date de début du bail ?",
    "Résume les causes de la révolution",
    "De quoi parle le chapitre 3 ?",
    "Combien de documents faut-il fournir ?",
    "¿Cuándo empieza el contrato?",
    "Resume las causas de la revolución",
    "¿De qué trata el capítulo 3?",
    "¿Cuántos documentos hay que presentar?",
    "What was mentioned about the weather?",
    "Where was Napoleon born?",
    "Where was Napoleon first mentioned as emperor?",
    "How often was the contract renewed?",
    "What is this?",
    "Why?",
    "And the second one?",
    "Which one is cheaper?",
    "Who wrote the report?",
    "What is the notice period in this contract?",
    "How much is the deposit?",
    "When was the pump last serviced?",
    "Which documents do I need for a visa application?",
    "What files does the installer create?",
    "How many documents are required for the application?",
    "Which files are in /etc?",
    "Where do penguins occur?",
    "Where is the reset button?",
    "Where is the oil filter located in this manual?",
    "List the steps to change the filter",
    "List all the countries in Europe",
    "What dates are available for the course?",
    "What date was the contract signed?",
    "On which date did the war end?",
    "Summarise the causes of the First World War",
    "Summarise what the report says about revenue",
    "What is photosynthesis about to release?",
    "What is the Turing test about?",
    "Compare the revenue of 2020 and 2021",
    "Compare the contributions of Newton and Leibniz",
    "What is the difference between a lease and a licence?",
    "What does the author say about Einstein?",
    "What does section 4 say?",
    "What does the warning light mean?",
    "How often should the oil be changed?",
    "Is Einstein mentioned in connection with the bomb?",
    "Why is the year 1789 important?",
    "Give me an example of a clause about liability",
    "Show me how to reset the pump",
    "Find the phone number of the landlord",
    "What is the e-mail address of the support team?",
    "Do I have to pay the deposit twice?",
    "Do I have a right to cancel?",
    "What happens if I lose the documents?",
    "Wie hoch ist die Kaution?",
    "Welche Unterlagen brauche ich für den Antrag?",
    "Wo kommen Pinguine vor?",
    "Worum geht es im dritten Kapitel?",
    "Was steht in Paragraf 5?",
    "Was ist der Unterschied zwischen Miete und Pacht?",
    "Liste alle Daten auf",
    "Habe ich ein Recht auf Urlaub?",
    "Quel est le montant du dépôt ?",
    "Quels documents faut-il pour un visa ?",
    "Où se trouve le bouton de remise à zéro ?",
    "Quelle est la différence entre un bail et une licence ?",
    "¿Cuál es el importe de la fianza?",
    "¿Qué documentos necesito para el visado?",
    "¿Dónde está el botón?",
    "¿Cuál es la diferencia entre alquiler y arrendamiento?",
    "Tell me about the French Revolution",
    "Thanks, that helps",
    "Translate this sentence into German",
    "Write a letter to my landlord",
    "Explain it to me like I am five",
    "What are the main causes of inflation?",
    "Which pages do I have to sign?",
    "How does it work?",
)


def recognised(text: str) -> LibraryQuestion | None:
    """As the library decides it, which knows the names of its documents."""
    question = library_question(text)
    if question is not None and question.reference is Reference.NAMED:
        return question if all(called(words, NAMES) for words in question.called) else None
    return question


@pytest.mark.parametrize("text", INVENTORY)
def test_asks_for_a_list_of_documents(text: str) -> None:
    question = recognised(text)
    assert question is not None
    assert (question.wish, question.subject) == (Wish.INVENTORY, INVENTORY[text])


@pytest.mark.parametrize("text", EVERY)
def test_asks_for_every_place(text: str) -> None:
    question = recognised(text)
    assert question is not None
    assert (question.wish, question.finding, question.subject) == (Wish.EVERY, *EVERY[text])


@pytest.mark.parametrize("text", WHOLE)
def test_asks_for_whole_documents(text: str) -> None:
    question = recognised(text)
    assert question is not None
    assert question.wish is Wish.WHOLE


@pytest.mark.parametrize("text", COMPARISONS)
def test_asks_for_a_comparison(text: str) -> None:
    question = recognised(text)
    assert question is not None
    assert question.wish is Wish.COMPARISON


@pytest.mark.parametrize("text", MORE)
def test_asks_about_the_library(text: str) -> None:
    assert recognised(text) is not None


@pytest.mark.parametrize("text", ORDINARY)
def test_leaves_ordinary_questions_alone(text: str) -> None:
    assert recognised(text) is None


def test_quoted_words_are_looked_for_as_they_stand() -> None:
    question = library_question('Where is "force majeure" mentioned in this contract?')
    assert question is not None
    assert question.exact
    assert question.reference is Reference.ONE
    question = library_question("Where is force majeure mentioned?")
    assert question is not None
    assert not question.exact


@pytest.mark.parametrize(
    ("words", "reference"),
    [
        ("this document", Reference.ONE),
        ("the attached file", Reference.ONE),
        ("these documents", Reference.MANY),
        ("all my files", Reference.MANY),
        ("both documents", Reference.MANY),
        ("diese beiden Dokumente", Reference.MANY),
        ("dieses Dokument", Reference.ONE),
        ("ce document", Reference.ONE),
        ("ces deux fichiers", Reference.MANY),
        ("este archivo", Reference.ONE),
        ("los documentos", Reference.MANY),
        ("it", Reference.BARE_ONE),
        ("these two", Reference.BARE_MANY),
        ("the French Revolution", Reference.NAMED),
    ],
)
def test_how_words_point_at_documents(words: str, reference: Reference) -> None:
    assert reference_of(words) is reference


def test_names_of_documents() -> None:
    assert named_in("Summarise lease-contract.docx, then letters.mbox", NAMES) == [1, 3]
    assert called("the annual report", NAMES) == [0]
    assert called("pump manual", NAMES) == [2]
    assert called("the manual", NAMES) == [2]
    assert called("the French Revolution", NAMES) == [4]
    assert called("the causes of the French Revolution", NAMES) == []
    assert called("the", NAMES) == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("lease-A", [0]),
        ("the lease A", [0]),
        ("lease-B: rent, deposit and notice", [1]),
        ("document lease-A", [0]),
        ("my lease", [0, 1]),
        ("A", [2]),
        ("lease: rent", [0, 1]),
        ("rent: lease", []),
    ],
)
def test_small_words_tell_documents_apart(words: str, found: list[int]) -> None:
    assert called(words, [("lease-A.pdf", ""), ("lease-B.pdf", "Untitled"), ("A.pdf", "")]) == found
