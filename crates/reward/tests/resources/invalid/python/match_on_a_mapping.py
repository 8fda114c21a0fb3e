num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    settings = {"weight": 2.0}
    match settings:
        case {"weight": weight}:
            scale = weight
        case _:
            scale = 1.0
    return -scale * torch.norm(action_sequence - keypoints[0], dim=-1).mean()
