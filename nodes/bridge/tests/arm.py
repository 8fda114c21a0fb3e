"""A controller of first order: the Franka's joints, a third of the way to its goal in a period."""

import math

from tiller_bridge.osc import Fault, State

# Craig's convention: length and offset, m, and the sine and cosine of the twist; the last row is the tool.
LINKS = (
    (0.0, 0.333, 0, 1),
    (0.0, 0.0, -1, 0),
    (0.0, 0.316, 1, 0),
    (0.0825, 0.0, 1, 0),
    (-0.0825, 0.384, -1, 0),
    (0.0, 0.0, 1, 0),
    (0.088, 0.0, 1, 0),
    (0.0, 0.107 + 0.1034, 0, 1),
)
HAND_RAD = -math.pi / 4
HOME_RAD = (0.0, 0.0, 0.0, -1.9, 0.0, 1.9, math.pi / 4)
SHARE = 1 / 3
DAMPING = 1e-6
ITERATIONS = 3


def cross(a, b):
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def times(a, b):
    """Product of two matrices, lists of rows."""
    columns = list(zip(*b, strict=True))
    return [
        [sum(x * y for x, y in zip(row, column, strict=True)) for column in columns] for row in a
    ]


def turned(vector):
    """The matrix of a turn by axis times angle (Rodrigues)."""
    angle = math.hypot(*vector)
    x, y, z = [part / angle for part in vector] if angle else (0.0, 0.0, 0.0)
    k = [[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]
    square = times(k, k)
    s, c = math.sin(angle), 1.0 - math.cos(angle)
    return [[(i == j) + s * k[i][j] + c * square[i][j] for j in range(3)] for i in range(3)]


def quaternion(m):
    """w x y z of a matrix; the largest part of the four is found first."""
    squares = [
        1 + m[0][0] + m[1][1] + m[2][2],
        1 + m[0][0] - m[1][1] - m[2][2],
        1 - m[0][0] + m[1][1] - m[2][2],
        1 - m[0][0] - m[1][1] + m[2][2],
    ]
    rows = (
        (squares[0], m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1]),
        (m[2][1] - m[1][2], squares[1], m[1][0] + m[0][1], m[0][2] + m[2][0]),
        (m[0][2] - m[2][0], m[1][0] + m[0][1], squares[2], m[2][1] + m[1][2]),
        (m[1][0] - m[0][1], m[0][2] + m[2][0], m[2][1] + m[1][2], squares[3]),
    )
    row = rows[squares.index(max(squares))]
    return [part / math.hypot(*row) for part in row]


def rotation_vector(matrix):
    """Axis times angle of a matrix."""
    w, *axis = quaternion(matrix)
    w, axis = (w, axis) if w >= 0 else (-w, [-part for part in axis])
    sine = math.hypot(*axis)
    return [part * (2 * math.atan2(sine, w) / sine if sine else 2.0) for part in axis]


def chain(q_rad):
    """Origins and axes of the joints, and the tool's position and matrix, in the base frame."""
    rotation, position = [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]], [0.0, 0.0, 0.0]
    joints = []
    for (a, d, sine, cosine), angle in zip(LINKS, [*q_rad, HAND_RAD], strict=True):
        offset = times(rotation, [[a], [-sine * d], [cosine * d]])
        position = [x + dx for x, (dx,) in zip(position, offset, strict=True)]
        s, c = math.sin(angle), math.cos(angle)
        link = [[c, -s, 0], [s * cosine, c * cosine, -sine], [s * sine, c * sine, cosine]]
        rotation = times(rotation, link)
        joints.append((position, [row[2] for row in rotation]))
    return joints[:7], position, rotation


def solved(matrix, right):
    """The solution of a system of equations, by elimination with pivots."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for column in range(len(rows)):
        best = max(range(column, len(rows)), key=lambda row: abs(rows[row][column]))
        rows[column], rows[best] = rows[best], rows[column]
        for row in range(len(rows)):
            if row != column:
                share = rows[row][column] / rows[column][column]
                rows[row] = [x - share * y for x, y in zip(rows[row], rows[column], strict=True)]
    return [row[-1] / row[index] for index, row in enumerate(rows)]


def towards(q_rad, position, rotation):
    """Joints that are nearer to having the tool there, by damped least squares."""
    joints, here, matrix = chain(q_rad)
    transposed = []
    for origin, axis in joints:
        arm = [x - y for x, y in zip(here, origin, strict=True)]
        transposed.append([*cross(axis, arm), *axis])
    back = [list(column) for column in zip(*matrix, strict=True)]
    way = [x - y for x, y in zip(position, here, strict=True)]
    twist = [*way, *rotation_vector(times(rotation, back))]
    square = times(list(zip(*transposed, strict=True)), transposed)
    for index in range(6):
        square[index][index] += DAMPING
    force = solved(square, twist)
    moves = (sum(x * y for x, y in zip(row, force, strict=True)) for row in transposed)
    return [q + move for q, move in zip(q_rad, moves, strict=True)]


class FirstOrder:
    """It controls Tiller's own tool, and remembers what it was told."""

    rate_hz, most_m, most_rad, gripper_m = 20.0, 0.05, 0.5, (0.0, 0.08)

    def __init__(self):
        self.q_rad, self.dq_rad_s = list(HOME_RAD), [0.0] * 7
        self.width_m = 0.08
        self.clock_ns = 0
        self.fault = Fault.NONE
        self.steps: list[tuple] = []
        # Calls since the last step.
        self.stops = 0

    def state(self) -> State:
        _, position, rotation = chain(self.q_rad)
        return State(
            self.clock_ns,
            self.q_rad,
            self.dq_rad_s,
            position,
            quaternion(rotation),
            self.width_m,
            self.fault,
        )

    def step(self, translation_m, rotation_rad, gripper_width_m) -> None:
        self.steps.append((translation_m, rotation_rad, gripper_width_m))
        self.stops = 0
        _, position, rotation = chain(self.q_rad)
        there = [x + SHARE * dx for x, dx in zip(position, translation_m, strict=True)]
        turn = times(turned([SHARE * part for part in rotation_rad]), rotation)
        before = self.q_rad
        for _ in range(ITERATIONS):
            self.q_rad = towards(self.q_rad, there, turn)
        self.dq_rad_s = [
            (after - was) * self.rate_hz for after, was in zip(self.q_rad, before, strict=True)
        ]
        self.width_m = gripper_width_m
        self._go_on()

    def stop(self) -> None:
        self.stops += 1
        self.dq_rad_s = [0.0] * 7
        self._go_on()

    def _go_on(self) -> None:
        self.clock_ns += round(1e9 / self.rate_hz)
