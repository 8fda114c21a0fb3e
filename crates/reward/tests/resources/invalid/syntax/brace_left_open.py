num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    print(f"reach {keypoints[0]")
    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()
