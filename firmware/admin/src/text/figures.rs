//! Words of the statistics.

use super::{Text, texts};

texts! {
    STATISTICS = "Statistics", "Statistiques";
    STATISTICS_WHICH = "There are statistics of a day or a week: span is day or week, day is a date such as 2026-11-26.", "Il y a des statistiques par jour ou par semaine : span vaut day ou week, day est une date comme 2026-11-26.";
    STATISTICS_NONE = "No calls in this time.", "Aucun appel durant cette période.";
    STATISTICS_FROM_TO = "{first} to {last}", "{first} au {last}";
    STATISTICS_SPAN = "Period", "Période";
    STATISTICS_WITH = "Date", "Date";
    STATISTICS_FIGURES = "At a glance", "En bref";
    STATISTICS_INCOMING = "Incoming", "Entrants";
    STATISTICS_ANSWERED = "Answered here", "Répondus ici";
    STATISTICS_UNANSWERED = "Incoming, not answered here", "Entrants, non répondus ici";
    STATISTICS_MISSED = "Missed", "Manqués";
    STATISTICS_OUTGOING = "Outgoing", "Sortants";
    STATISTICS_QUICK = "Of these, within 20 s", "Dont en moins de 20 s";
    STATISTICS_MEDIAN = "Half of these callers waited at most", "La moitié de ces appelants a attendu au plus";
    STATISTICS_P95 = "95 of 100 waited at most", "95 sur 100 ont attendu au plus";
    STATISTICS_LONGEST = "Longest wait", "Attente la plus longue";
    STATISTICS_TALK = "Talk time", "Conversation";
    STATISTICS_HOLD = "Hold time", "Mise en attente";
    STATISTICS_TIMES = "{all} in all; {mean} on average, {longest} at most", "{all} en tout ; {mean} en moyenne, {longest} au plus";
    STATISTICS_HOURS = "By hour", "Par heure";
    STATISTICS_HOURS_WEEK = "By hour, all days together", "Par heure, tous jours confondus";
    STATISTICS_DAYS = "By day", "Par jour";
    STATISTICS_COLUMN = "{when}: {incoming} incoming, {answered} answered here, {outgoing} outgoing", "{when} : {incoming} entrants, {answered} répondus ici, {outgoing} sortants";
    STATISTICS_AS_TABLE = "The figures as a table", "Les chiffres sous forme de tableau";
    STATISTICS_OUTCOMES = "By direction and outcome", "Par sens et issue";
    STATISTICS_LINES = "By line", "Par ligne";
    STATISTICS_SHARE = "Share of its direction", "Part de ce sens";
    STATISTICS_FILES = "For a spreadsheet", "Pour un tableur";
    STATISTICS_FILES_HINT = "CSV files of what is shown here.", "Fichiers CSV de ce qui est affiché ici.";
    STATISTICS_CSV_HOURS = "By hour", "Par heure";
    STATISTICS_CSV_LINES = "By line", "Par ligne";
    STATISTICS_CSV_OUTCOMES = "By direction and outcome", "Par sens et issue";
    OUTCOME = "Outcome", "Issue";
    CALLS = "Calls", "Appels";
    HOUR = "Hour", "Heure";
    DAY = "Day", "Jour";
    WEEK = "Week", "Semaine";
    EARLIER = "Earlier", "Avant";
    LATER = "Later", "Après";
    TODAY = "Today", "Aujourd’hui";
    SHOW = "Show", "Afficher";
    END_COMPLETED = "talked, then hung up", "conversation terminée";
    END_MISSED = "missed", "manqué";
    END_ELSEWHERE = "answered elsewhere", "pris ailleurs";
    END_REJECTED = "refused here", "refusé ici";
    END_REFUSED = "refused or busy there", "refusé ou occupé";
    END_NOT_ANSWERED = "no answer", "sans réponse";
    END_TRANSFERRED = "transferred", "transféré";
    END_FORWARDED = "forwarded", "renvoyé";
    END_VOICEMAIL = "to voicemail", "vers la messagerie";
    END_FAILED = "failed (network or exchange)", "échec (réseau ou central)";
    MONDAY = "Monday", "lundi";
    TUESDAY = "Tuesday", "mardi";
    WEDNESDAY = "Wednesday", "mercredi";
    THURSDAY = "Thursday", "jeudi";
    FRIDAY = "Friday", "vendredi";
    SATURDAY = "Saturday", "samedi";
    SUNDAY = "Sunday", "dimanche";
}

/// From Monday on.
pub(crate) const WEEKDAYS: [Text; 7] = [MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY];
