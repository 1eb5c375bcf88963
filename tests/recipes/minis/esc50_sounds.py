"""Four classes in five folds, as the archive unpacks."""

from speechbrain_mtl.data.corpora.esc50 import CATEGORIES
from tests.helpers.trees import write_lines
from tests.recipes.miniature import speech_folder, write_tones

HEADER = "filename,fold,target,category,esc10,src_file,take"
CLASSES = ["dog", "rain", "clock_tick", "helicopter"]


def make(folder):
    """Write them; give the options."""
    corpus, rows = folder / "ESC-50-master", []
    # Tones have the pitch of what stands before the underscore.
    names = [f"{c}_{k}{t}" for c in CLASSES for k in range(1, 6) for t in "AB"]
    names = [name.replace("clock_", "clock") for name in names]
    (corpus / "audio").mkdir(parents=True)
    for name, path in write_tones(folder / "tones", names).items():
        word, (fold, take) = name.split("_")
        category = word.replace("clock", "clock_")
        target = CATEGORIES.index(category)
        wav = f"{fold}-{fold}00{target}-{take}-{target}.wav"
        path.rename(corpus / "audio" / wav)
        source = f"{fold}00{target}"
        rows.append(f"{wav},{fold},{target},{category},True,{source},{take}")
    write_lines(corpus / "meta" / "esc50.csv", HEADER, *rows)
    return [
        f"--data_folder={corpus}",
        "--folds=[2, 5]",
        "--esc10=True",
        f"--pretrain_folder={speech_folder(folder / 'speech')}",
    ]
