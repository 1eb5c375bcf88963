"""Eight instruments in three subsets, as the archive unpacks."""

from speechbrain_mtl.data.corpora.medley_solos import INSTRUMENTS, TABLE
from tests.helpers.trees import write_lines
from tests.recipes.miniature import speech_folder, write_tones

HEADER = "subset,instrument,instrument_id,song_id,uuid4"
SUBSETS = ["training"] * 4 + ["validation", "test"]


def make(folder):
    """Write them; give the options."""
    corpus, rows = folder / "Medley-solos-DB", []
    names = [f"i{i}_{take}" for i in range(8) for take in range(len(SUBSETS))]
    (corpus / "audio").mkdir(parents=True)
    for name, path in write_tones(folder / "tones", names).items():
        number, take = int(name[1]), int(name[3])
        subset = SUBSETS[take]
        wav = f"Medley-solos-DB_{subset}-{number}_{name}.wav"
        path.rename(corpus / "audio" / wav)
        rows.append(f"{subset},{INSTRUMENTS[number]},{number},{take},{name}")
    write_lines(corpus / TABLE, HEADER, *rows)
    return [
        f"--data_folder={corpus}",
        f"--pretrain_folder={speech_folder(folder / 'speech')}",
    ]
