import numpy as np
import pytest

from kbuild.data.describe import describe
from kbuild.data.encode import encode_image
from kbuild.data.header import Header, Target, Tensor
from kbuild.data.load import load
from kbuild.data.peek import peek

PETS = Target((), "int32", "binary", ("cat", "dog"), 2)


@pytest.fixture
def pets(photos):
    return photos({f"{kind}/{number}.png": (4, 6) for kind in ("dog", "cat") for number in range(10)})


def test_a_folder_for_each_class(pets, images):
    (pets / ".hidden").mkdir()
    (pets / "cat" / "notes.txt").write_text("not a picture")
    data = images(pets)
    assert peek(data) == Header({"input": Tensor((4, 6, 3), "uint8")}, {"output": PETS}, {"train": 20})
    dataset = load(data, 0)
    assert dataset.header == Header({"input": Tensor((4, 6, 3), "uint8")}, {"output": PETS}, {"train": 20})
    assert dataset.train.ids[0].startswith("cat/")
    for name, label, pixels in zip(dataset.train.ids, dataset.train.y["output"], dataset.train.x["input"], strict=True):
        kind, number = name.removesuffix(".png").split("/")
        assert label == ("cat", "dog").index(kind)
        assert (pixels == [(int(number) + 10 * (kind == "cat")) * 7 % 256, 100, 200]).all()


def test_pictures_are_scaled_to_size(pets, photos, images):
    photos({"cat/large.jpg": (40, 40), "dog/deep/down.bmp": (3, 3)})
    data = images(pets, {"size": (8, 5), "color": "grayscale"})
    dataset = load(data, 0)
    assert peek(data).inputs == dataset.header.inputs == {"input": Tensor((8, 5, 1), "uint8")}
    assert dataset.header.counts == {"train": 22}


def test_parts_have_folders_of_their_own(pets, photos, images):
    test = photos({"cat/a.png": (4, 6), "dog/b.png": (4, 6)}, "test")
    data = images(pets, {"test": test, "validation": test})
    assert load(data, 0).header.counts == {"train": 20, "validation": 2, "test": 2}
    assert load(data, 0).test.ids == ("cat/a.png", "dog/b.png")


def test_the_names_may_come_in_another_order(pets, images):
    dataset = load(images(pets, classes=("dog", "cat")), 0)
    assert dataset.header.targets["output"].classes == ("dog", "cat")
    assert dataset.train.y["output"][0] == 1
    assert dataset.train.ids[0].startswith("cat")
    assert describe(dataset.header, dataset)["examples"][0]["y"] == {"output": "dog"}


def test_a_new_picture_is_read_as_the_old(pets, images):
    dataset = load(images(pets), 0)
    assert (encode_image(pets / dataset.train.ids[3], dataset.encoding) == dataset.train.x["input"][3]).all()


def test_palettes_and_transparency(tmp_path, photos, images):
    from PIL import Image

    root = photos({"a/0.png": (4, 4), "b/0.png": (4, 4)})
    Image.new("RGBA", (4, 4), (10, 20, 30, 0)).save(root / "a" / "1.png")
    Image.new("P", (4, 4), 0).save(root / "b" / "1.gif", transparency=0)
    Image.new("1", (4, 4), 1).save(root / "b" / "2.png")
    Image.new("LA", (4, 4), (9, 9)).save(root / "b" / "3.png")
    from kbuild.spec.data import Split

    dataset = load(images(root, split=Split(validation=0, test=0)), 0)
    pixels = dict(zip(dataset.train.ids, dataset.train.x["input"][:, 0, 0].tolist(), strict=True))
    assert pixels["a/1.png"] == [10, 20, 30]
    assert pixels["b/2.png"] == [255, 255, 255]
    assert pixels["b/3.png"] == [9, 9, 9]


def test_folders_that_are_no_classes(pets, photos, images, tmp_path, problem):
    found = problem(lambda: peek(images(pets / "cat")))
    assert (found.code, found.message) == ("K431", f"`{pets / 'cat'}` has no folders")
    (tmp_path / "one" / "cat").mkdir(parents=True)
    assert problem(lambda: peek(images(tmp_path / "one"))).message == f"`{tmp_path / 'one'}` has one folder only, `cat`"
    (pets / "empty").mkdir()
    found = problem(lambda: load(images(pets), 0))
    assert found.message == f"`{pets / 'empty'}` has no files that end in .bmp, .gif, .jpeg, .jpg, .png"
    found = problem(lambda: peek(images(tmp_path / "absent")))
    assert (found.code, found.message) == ("K402", f"there is no folder `{tmp_path / 'absent'}`")
    found = problem(lambda: peek(images(pets / "cat" / "0.png")))
    assert (found.code, found.message) == ("K404", f"`{pets / 'cat' / '0.png'}` is a file and not a folder")


def test_classes_of_a_part_are_those_of_training(pets, photos, images, problem):
    test = photos({"cat/a.png": (4, 6), "fox/b.png": (4, 6)}, "test")
    found = problem(lambda: peek(images(pets, {"test": test})))
    assert (found.code, found.message) == ("K445", "`test` has the class `fox`, which `train` has not")


def test_sizes_that_differ(pets, photos, images, problem):
    photos({"dog/x.png": (5, 6)})
    found = problem(lambda: load(images(pets), 0))
    assert found.message == f"`{pets / 'dog' / 'x.png'}` is 5×6 and the first picture 4×6"
    assert found.help == "write `size: [4, 6]` beside `images` to scale all to one size"


def test_pictures_that_cannot_be_read(pets, images, problem):
    content = (pets / "dog" / "3.png").read_bytes()
    (pets / "dog" / "3.png").write_bytes(content[:45])
    found = problem(lambda: load(images(pets), 0))
    assert found.code == "K404"
    assert found.message.startswith(f"`{pets / 'dog' / '3.png'}` cannot be read as a picture")
    (pets / "cat" / "0.png").write_text("hello")
    found = problem(lambda: peek(images(pets)))
    assert found.message == f"`{pets / 'cat' / '0.png'}` cannot be read as a picture"


def test_a_picture_that_would_burst_memory(pets, images, problem, monkeypatch):
    from PIL import Image

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    found = problem(lambda: load(images(pets, {"size": (2, 2)}), 0))
    assert "could be decompression bomb" in found.message


def test_more_than_eight_bits(pets, images, problem):
    from PIL import Image

    Image.fromarray(np.full((4, 6), 4000, np.uint16)).save(pets / "cat" / "deep.png")
    found = problem(lambda: load(images(pets), 0))
    assert (found.code, found.message) == ("K432", f"`{pets / 'cat' / 'deep.png'}` has more than 8 bits a channel")


def test_links_stay_inside(pets, images, tmp_path, problem):
    (tmp_path / "secret.png").write_bytes((pets / "cat" / "0.png").read_bytes())
    (pets / "cat" / "inside.png").symlink_to(pets / "cat" / "0.png")
    assert load(images(pets), 0).header.counts == {"train": 21}
    (pets / "cat" / "out.png").symlink_to(tmp_path / "secret.png")
    found = problem(lambda: load(images(pets), 0))
    assert (found.code, found.message) == ("K405", f"the link `{pets / 'cat' / 'out.png'}` leads out of its folder")
    (pets / "zebra").symlink_to(tmp_path)
    assert problem(lambda: peek(images(pets))).message == f"the link `{pets / 'zebra'}` leads out of its folder"


@pytest.mark.full
def test_cifar10(shared, images):
    data = images(shared / "cifar10" / "train", {"test": shared / "cifar10" / "test"})
    dataset = load(data, 0)
    assert peek(data).targets == dataset.header.targets
    assert dataset.header.inputs == {"input": Tensor((32, 32, 3), "uint8")}
    assert dataset.header.targets["output"].count == 10
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (4500, 500, 1000)
    assert 100 < dataset.train.x["input"].mean() < 140
