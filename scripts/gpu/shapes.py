"""What is measured: the layers of AlexNet at batch 128 and of small networks; or tiny ones, to try the programs."""

from dataclasses import dataclass

from conv import Shape, linear


@dataclass(frozen=True)
class Operation:
    """All of the network but its matrix products."""

    name: str
    sizes: tuple
    bytes: int  # read and written

    def __str__(self):
        return f"{self.name} {'×'.join(map(str, self.sizes))}"


def layers(small):
    """Convolutions and fully connected layers."""
    if small:
        first, grouped = Shape(1, 48, 5, 5, 8, 3, name="alexnet conv1"), Shape(1, 8, 5, 5, 8, 3, 1, 1, 2, name="alexnet conv4")
        return [first, grouped, linear(2, 40, 12, "alexnet fc8")]
    n = 128
    return [
        # By blocks of 4 × 4 pixels: the input kernel lays them so.
        Shape(n, 48, 57, 57, 96, 3, name="alexnet conv1"),
        Shape(n, 96, 27, 27, 256, 5, 1, 2, 2, name="alexnet conv2"),
        Shape(n, 256, 13, 13, 384, 3, 1, 1, 1, name="alexnet conv3"),
        Shape(n, 384, 13, 13, 384, 3, 1, 1, 2, name="alexnet conv4"),
        Shape(n, 384, 13, 13, 256, 3, 1, 1, 2, name="alexnet conv5"),
        linear(n, 9216, 4096, "alexnet fc6"),
        linear(n, 4096, 4096, "alexnet fc7"),
        linear(n, 4096, 1000, "alexnet fc8"),
        Shape(n, 3, 28, 28, 32, 5, 1, 2, name="alexnet-small conv1"),
        Shape(n, 32, 14, 14, 64, 3, 1, 1, name="alexnet-small conv2"),
        Shape(n, 64, 7, 7, 128, 3, 1, 1, name="alexnet-small conv3"),
        linear(n, 1152, 256, "alexnet-small fc4"),
        linear(n, 256, 10, "alexnet-small fc5"),
        Shape(n, 3, 32, 32, 32, 5, 1, 2, name="cifar10-quick conv1"),
        Shape(n, 32, 16, 16, 32, 5, 1, 2, name="cifar10-quick conv2"),
        Shape(n, 32, 8, 8, 64, 5, 1, 2, name="cifar10-quick conv3"),
        linear(n, 1024, 10, "cifar10-quick fc4"),
    ]


def is_first(shape):
    """No data gradient is made of it."""
    return shape.name.endswith("conv1")


def is_linear(shape):
    return shape.name.split()[1].startswith("fc")


def network(small):
    """The maps of AlexNet that are normalised, (height, width, channels), and pooled, with the side of the result; and so on."""
    if small:
        return {
            "batch": 2,
            "lrn": [(3, 3, 24)],
            "pool": [((5, 5, 24), 2)],
            "fc": 64,
            "classes": 10,
            "side": 20,
            "places": 5,
            "parameters": [5000, 16, 700],
        }
    fc = [4096 * 9216, 4096, 4096 * 4096, 4096, 1000 * 4096, 1000]
    conv = [96 * 9 * 48, 96, 256 * 25 * 48, 256, 384 * 9 * 256, 384, 384 * 9 * 192, 384, 256 * 9 * 192, 256]
    return {
        "batch": 128,
        "lrn": [(55, 55, 96), (27, 27, 256)],
        "pool": [((55, 55, 96), 27), ((27, 27, 256), 13), ((13, 13, 256), 6)],
        "fc": 4096,
        "classes": 1000,
        "side": 224,
        "places": 57,
        "parameters": conv + fc,
    }


def operations(small):
    net = network(small)
    n, found = net["batch"], []

    def add(name, sizes, floats):
        found.append(Operation(name, sizes, int(4 * floats)))

    for h, w, c in net["lrn"]:
        add("lrn forward", (n, h, w, c), 2 * n * h * w * c)
        add("lrn backward", (n, h, w, c), 3 * n * h * w * c)
    for (h, w, c), side in net["pool"]:
        floats = n * c * (h * w + side * side * 1.25)  # and a byte for each maximum
        add("pool forward", (n, h, w, c, side), floats)
        add("pool backward", (n, h, w, c, side), floats)
    h, w, c = net["lrn"][0]
    for name in ("relu", "tanh"):
        add(f"{name} forward", (n, h, w, c), 2 * n * h * w * c)
        add(f"{name} backward", (n, h, w, c), 3 * n * h * w * c)
    add("bias", (n * h * w, c), n * h * w * c)
    add("dropout", (n, net["fc"]), 2 * n * net["fc"])
    add("softmax", (n, net["classes"]), 2 * n * net["classes"])
    pixels, values = 3 * n * net["side"] ** 2, n * net["places"] ** 2 * 48
    add("input", (n, net["side"], net["places"]), pixels / 4 + values)
    add("sgd", (sum(net["parameters"]),), 5 * sum(net["parameters"]))
    return found
