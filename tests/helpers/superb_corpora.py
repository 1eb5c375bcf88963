"""The seven data sets of SUPERB in miniature, each in its official layout."""

from tests.helpers.recordings import audio, fill

VOX_TRAIN = [f"id1000{number}" for number in range(1, 5)]
VOX_TEST = ["id10270", "id10271"]
KEYWORDS = "yes no up down left right on off stop go".split()
OTHERS = (
    "zero one two three four five six seven eight nine bed bird cat dog happy "
    "house marvin sheila tree wow"
).split()
# Of SUPERB's voices, two a part.
VOICES = {
    "train": ("Ivy", "Joey"),
    "valid": ("Amy", "Nicole"),
    "test": ("Emma", "Brian"),
}


def librispeech():
    """Two readers train, one validates and one tests."""
    readers = {
        "train-clean-100": (19, 60),
        "dev-clean": (84,),
        "test-clean": (61,),
    }
    files = {"SPEAKERS.TXT": "", "lexicon.txt": "GO G OW1\nDO D UW1\n"}
    for subset, speakers in readers.items():
        for speaker in speakers:
            files["SPEAKERS.TXT"] += f"{speaker} | F | {subset} | 2 | X\n"
            place, name = f"{subset}/{speaker}/1", f"{speaker}-1"
            files[f"{place}/{name}.trans.txt"] = f"{name}-0000 GO DO\n"
            files[f"{place}/{name}-0000.flac"] = audio(0.5, kind="FLAC")
    return files


def audio_snips():
    """One request a voice."""
    files = {"all.iob.snips.txt": ""}
    for part, voices in VOICES.items():
        for voice in voices:
            name = f"{voice}-snips-{part}-0"
            files["all.iob.snips.txt"] += (
                f"{name} BOS play Abba EOS\tO O artist Play\n"
            )
            files[f"{part}/{name}.wav"] = audio(0.5)
    return files


def speech_commands():
    """Each word by three speakers; the test set beside them."""
    root, files = "speech_commands_v0.01", {}
    lists = {"1b4c9b89": "validation", "9a7c1f83": "testing"}
    for speaker in ("0a7c2a8d", *lists):
        clips = [f"{w}/{speaker}_nohash_0.wav" for w in KEYWORDS + OTHERS]
        files |= {f"{root}/{clip}": audio(0.1) for clip in clips}
        if speaker in lists:
            files[f"{root}/{lists[speaker]}_list.txt"] = "\n".join(clips)
    files[f"{root}/_background_noise_/tap.wav"] = audio(10.0)
    root = "speech_commands_test_set_v0.01"
    for word in (*KEYWORDS, "_unknown_", "_silence_"):
        files[f"{root}/{word}/9a7c1f83_nohash_0.wav"] = audio(0.1)
    return files


def fluent_speech_commands():
    """Two orders a speaker, one speaker a part."""
    header = "path,speakerId,transcription,action,object,location\n"
    files = {}
    for part in ("train", "valid", "test"):
        table = header
        for number, order in enumerate(("on,lamp,none", "off,heat,hall")):
            wav = f"wavs/speakers/{part}1/{part}-{number}.wav"
            table += f"{wav},{part}1,Do it,{order}\n"
            files[wav] = audio(0.5)
        files[f"data/{part}_data.csv"] = table
    return files


def voxceleb1():
    """Three videos a speaker: one of each identification part."""
    files = {"iden_split.txt": "", "veri_test.txt": ""}
    for half, speakers in [("dev", VOX_TRAIN), ("test", VOX_TEST)]:
        for speaker in speakers:
            for part in (1, 2, 3):
                name = f"{speaker}/video{part}/00001.wav"
                files["iden_split.txt"] += f"{part} {name}\n"
                files[f"{half}/wav/{name}"] = audio(0.5)
    first, second = (f"{s}/video1/00001.wav" for s in VOX_TEST)
    files["veri_test.txt"] += f"0 {first} {second}\n"
    files["veri_test.txt"] += f"1 {first} {VOX_TEST[0]}/video2/00001.wav\n"
    return files


def libri2mix():
    """One mixture a part, of 1 s."""
    files = {}
    for part, (a, b) in {
        "train": (1, 2),
        "dev": (3, 4),
        "test": (5, 6),
    }.items():
        name = f"{a}-1-0000_{b}-1-0000"
        wav = f"Libri2Mix/wav16k/max/{part}/mix_both/{name}.wav"
        files[wav] = audio(1.0)
        files[f"diarization/{part}/wav.scp"] = f"{name} /there/{wav}\n"
        files[f"diarization/{part}/utt2spk"] = f"x {a}\ny {b}\n"
        files[f"diarization/{part}/segments"] = (
            f"x {name} 0.0 0.7\ny {name} 0.3 1.0\n"
        )
    return files


def iemocap():
    """Four emotions a dialogue, by the woman; two dialogues a session."""
    files = {}
    for session in range(1, 6):
        for dialog in (f"Ses0{session}F_impro0{n}" for n in (1, 2)):
            labels = ""
            for number, emotion in enumerate(("ang", "exc", "neu", "sad")):
                name = f"{dialog}_F00{number}"
                labels += f"[1.0 - 2.0]\t{name}\t{emotion}\t[2.5, 3.0, 4.5]\n"
                wav = f"Session{session}/sentences/wav/{dialog}/{name}.wav"
                files[wav] = audio(0.5)
            files[f"Session{session}/dialog/EmoEvaluation/{dialog}.txt"] = (
                labels
            )
    return files


CORPORA = {
    make.__name__: make
    for make in (
        librispeech,
        audio_snips,
        speech_commands,
        fluent_speech_commands,
        voxceleb1,
        libri2mix,
        iemocap,
    )
}


def make_superb(folder):
    """Folders of all seven, and the options that so few recordings need."""
    folders = {
        name: fill(folder / name, make()) for name, make in CORPORA.items()
    }
    options = {
        "librispeech": {"lexica": folders["librispeech"] / "lexicon.txt"},
        "voxceleb1": {"valid_speakers": 2},
    }
    return folders, options
