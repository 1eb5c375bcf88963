"""The embedded corpus: labelled formant speech, made on this computer.

A number obtained on it shows that a recipe runs and learns; it says nothing
about real speech. Texts, voices, phones and scenes are the JSON files beside
this one. Every entry of the manifest has these fields, null where they do not
apply:

=================== ========================================================
``wav, duration``   file, and its exact length in seconds
``sample_rate``     16000
``kind``            read, emotion, command, caption, keyword, abx, mixture,
                    or scene
``speaker``         with ``gender`` (f, m) and ``accent``
``split``           train, valid or test, by speaker
``utterance_split`` the same by utterance, each speaker in all three
``text``            words, in lower case; empty for abx
``words, phones``   ``[[start, end, label]]`` in seconds; phones are ARPAbet
                    and ``SIL`` and cover the recording without gaps. Of a
                    mixture: those of both speakers by start, without ``SIL``
``emotion``         how it is spoken; of mixtures null
``augment``         ``{"snr_db", "rt60"}``; empty when clean
``held_out``        read: whether its word pairs are said by test speakers
                    only (``texts.sentence``)
``emotion_label``   emotion: the class. Levels are equal, so that loudness
                    gives nothing away
``keyword``         keyword: one of ten, or "unknown"
``intent``          command: ``action``, ``object``, ``location``
``slots, bio``      command: value of each slot, and a tag for each word
``image, scene``    caption, scene: picture, and the objects in it
``image_id``        caption, scene: the same for the five captions of a scene;
                    all entries have it if scenes are wanted, else none has
``rttm``            mixture: file of who speaks when
``speakers``        mixture: both
``turns``           mixture: ``speaker, start, end, text, words, phones``
``sha256``          of the recording's file
=================== ========================================================

`triphone.item` lists the triphones of all clean recordings of one speaker
(no noise, no reverberation) for ABX tests; captions of scenes are left out,
so that the items do not change with the number of scenes.

Scenes are clean. Neither scenes nor speakers of one split come in another.
"""

from speechbrain_mtl.data.synthetic.corpus import (
    CorpusError,
    Summary,
    generate,
)

__all__ = ["CorpusError", "Summary", "generate"]
