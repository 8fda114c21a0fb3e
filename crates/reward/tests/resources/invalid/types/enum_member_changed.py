from enum import Enum

class Weight(Enum):
    REACH = 1.0

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    Weight.REACH.value = 2.0
    return -Weight.REACH.value * torch.norm(action_sequence - keypoints[0], dim=-1).mean()
